"""The pace of a channel: one post in so many seconds, and whoever must wait is told when to come."""

from datetime import timedelta

from records import NOW
from sqlalchemy.orm import Session

from bot.db import Sessions
from handoff.models import Place
from handoff.pace import reserve

SECOND = timedelta(seconds=1)


def takes(session: Session, place: Place, at: float) -> float | None:
    """The place asks for its turn so many seconds after NOW; when to come again, likewise."""
    place.retry_at = reserve(session, place.platform, place.channel, NOW + at * SECOND, 1.0)
    session.flush()
    return None if place.retry_at is None else (place.retry_at - NOW) / SECOND


def places(session: Session, count: int) -> list[Place]:
    found = [Place(platform="slack", channel="C1", thread=f"{number}", route={}) for number in range(count)]
    session.add_all(found)
    session.flush()
    return found


def test_one_post_a_second(sessions: Sessions) -> None:
    with sessions.begin() as session:
        (place,) = places(session, 1)
        assert [takes(session, place, at) for at in (0, 0.4, 1, 1.9, 2)] == [None, 1, None, 2, None]


def test_each_who_waits_has_a_turn_of_its_own(sessions: Sessions) -> None:
    with sessions.begin() as session:
        waiting = places(session, 100)
        assert [takes(session, place, 0) for place in waiting] == [None, *range(1, 100)]
        assert [takes(session, place, at) for at, place in enumerate(waiting[1:], 1)] == [None] * 99


def test_who_sends_more_goes_to_the_end(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first, second, third = places(session, 3)
        assert [takes(session, place, 0) for place in (first, second, third)] == [None, 1, 2]
        assert takes(session, first, 0) == 3


def test_who_comes_a_little_too_early_loses_no_turn(sessions: Sessions) -> None:
    """Clocks and posts take their time: each turn begins a little later than was said."""
    with sessions.begin() as session:
        first, second, third = places(session, 3)
        assert [takes(session, place, 0) for place in (first, second, third)] == [None, 1, 2]
        assert takes(session, second, 1.02) is None
        assert takes(session, third, 2) == 2.02
        assert takes(session, third, 2.02) is None


def test_channels_do_not_wait_for_each_other(sessions: Sessions) -> None:
    with sessions.begin() as session:
        one, other = places(session, 2)
        other.channel = "C2"
        assert [takes(session, place, 0) for place in (one, other)] == [None, None]
