"""The pace of a platform: at most one post to a channel in so many seconds, whichever worker sends it."""

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from handoff.models import Pace, Place


def reserve(session: Session, platform: str, channel: str, now: datetime, seconds: float) -> datetime | None:
    """Take the next turn in a channel; None when it is ours now, else the time to come again.

    One statement, so that of many workers exactly one gets the turn.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    turn = insert(Pace).values(platform=platform, channel=channel, next_at=now + timedelta(seconds=seconds))
    taken = turn.on_conflict_do_update(
        index_elements=[Pace.platform, Pace.channel],
        set_={"next_at": turn.excluded.next_at},
        where=Pace.next_at <= now,
    )
    if session.execute(taken.returning(Pace.next_at)).first() is not None:
        return None
    here = select(Pace.next_at).where(Pace.platform == platform, Pace.channel == channel)
    return free_turn(session, platform, channel, now, seconds, session.scalars(here).one())


def free_turn(
    session: Session, platform: str, channel: str, now: datetime, seconds: float, first: datetime
) -> datetime:
    """The first turn that no other place of the channel waits for: of a hundred, only one comes at a time, and each
    gets its turn."""
    step = timedelta(seconds=seconds)
    here = select(Place.retry_at).where(Place.platform == platform, Place.channel == channel, Place.retry_at > now)
    awaited = {round((at - first) / step) for at in session.scalars(here) if at is not None}
    return first + step * next(number for number in count() if number not in awaited)
