"""The tables: times, numbers, and a log that only grows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from records import NOW, a_conversation, a_message, a_ticket
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from bot.db import Sessions
from handoff.desk import note_event
from handoff.inbox import place_at
from handoff.models import AppendOnlyError, Conversation, Place, Ticket, TicketEvent, TicketState


def test_times_come_back_aware_and_in_utc(sessions: Sessions) -> None:
    east = timezone(timedelta(hours=9))
    with sessions.begin() as session:
        conversation = a_conversation(session)
        conversation.opened_at = datetime(2026, 11, 23, 18, 0, tzinfo=east)
    with sessions() as session:
        at = session.scalars(select(Conversation)).one().opened_at
    assert (at, at.tzinfo) == (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), UTC)


def test_a_time_without_a_zone_cannot_be_stored(sessions: Sessions) -> None:
    with pytest.raises(StatementError, match="without a zone"), sessions.begin() as session:
        a_conversation(session).opened_at = datetime(2026, 11, 23)  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(("impact", "urgency", "priority"), [(1, 1, 1), (2, 2, 3), (3, 3, 5), (1, 3, 3)])
def test_priority_follows_from_impact_and_urgency(impact: int, urgency: int, priority: int) -> None:
    assert Ticket(impact=impact, urgency=urgency).priority == priority


def test_a_ticket_has_a_number_people_can_say(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        assert ticket.number == f"TKT-{1000 + ticket.id}"
        ticket.state = TicketState.CLOSED
        assert not ticket.is_open


def test_the_log_of_a_ticket_cannot_be_changed(sessions: Sessions) -> None:
    with sessions.begin() as session:
        note_event(session, a_ticket(session), "noted", NOW, None)
    with pytest.raises(AppendOnlyError), sessions.begin() as session:
        session.scalars(select(TicketEvent).limit(1)).one().kind = "never happened"
    with pytest.raises(AppendOnlyError), sessions.begin() as session:
        session.delete(session.scalars(select(TicketEvent).limit(1)).one())
    with sessions() as session:
        assert session.scalars(select(TicketEvent.kind)).all() == ["opened", "noted"]


def test_a_platforms_id_is_stored_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        a_message(session, conversation, source_id="m-1")
        with pytest.raises(IntegrityError):
            a_message(session, conversation, source_id="m-1")
        session.rollback()


def test_a_place_is_stored_once(sessions: Sessions) -> None:
    with sessions.begin() as session:
        place_at(session, "web", "chat", "konrad")
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(Place(platform="web", channel="chat", thread="konrad"))


def test_what_refers_to_nothing_is_refused(sessions: Sessions) -> None:
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.execute(
            text("UPDATE conversation SET previous_id = 99 WHERE id = :id"), {"id": a_conversation(session).id}
        )
