"""What comes in: places and people are made once, bursts wait, the order is kept."""

from datetime import timedelta

import pytest
from records import NOW, a_conversation, a_message, a_person, a_ticket

from bot.db import Sessions
from handoff import desk, inbox
from handoff.models import Kind, Side

WINDOW = timedelta(seconds=2)


def test_a_place_is_made_once_and_keeps_the_newest_route(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = inbox.place_at(session, "web", "chat", "konrad", route={"url": "old"})
        again = inbox.place_at(session, "web", "chat", "konrad", route={"url": "new"})
        inbox.place_at(session, "web", "chat", "konrad")
        assert (again, again.route) == (first, {"url": "new"})
        assert inbox.find_place(session, "web", "chat", "jette") is None


def test_a_place_without_a_thread_is_one_place(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert inbox.place_at(session, "console", "terminal") is inbox.place_at(session, "console", "terminal", "")


def test_a_person_is_made_once_and_kept_current(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = inbox.person_at(session, "web", "k", "Konrad", "de", "sie")
        again = inbox.person_at(session, "web", "k", "Konrad Voßmann")
        assert again is first
        assert (again.name, again.language, again.address) == ("Konrad Voßmann", "de", "sie")
        assert inbox.person_at(session, "slack", "k", "Konrad") is not first


def test_the_newest_open_conversation_of_a_place_goes_on(sessions: Sessions) -> None:
    with sessions.begin() as session:
        first = a_conversation(session)
        assert inbox.conversation_at(session, first.place) is first
        desk.close(session, first, "confirmed", NOW)
        assert inbox.conversation_at(session, first.place) is None
        assert inbox.open_conversation(session, first.place, first.requester, NOW).previous_id == first.id


def test_a_tickets_thread_leads_to_the_ticket(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        assert inbox.ticket_at(session, ticket.places[0]) is ticket
        assert inbox.ticket_at(session, ticket.conversation.place) is None
        assert inbox.ticket_at(session, None) is None


def test_a_message_is_found_by_its_platforms_id(sessions: Sessions) -> None:
    with sessions.begin() as session:
        message = a_message(session, a_conversation(session), source_id="m-1")
        assert inbox.find_message(session, "web", "m-1") is message
        assert inbox.find_message(session, "slack", "m-1") is None


# --- bursts -----------------------------------------------------------------------------------------------------------
def test_every_message_of_a_burst_waits_for_the_newest(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        messages = [a_message(session, conversation) for _ in range(3)]
        for seconds, message in enumerate(messages):
            message.created_at = NOW + timedelta(seconds=seconds)
            inbox.hold_burst(session, message, WINDOW)
        assert {message.handle_after for message in messages} == {NOW + timedelta(seconds=4)}
        assert inbox.unhandled(session, conversation.id, NOW + timedelta(seconds=3)) == []
        assert inbox.unhandled(session, conversation.id, NOW + timedelta(seconds=4)) == messages


def test_a_burst_does_not_wait_for_ever(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        for seconds in range(0, 60, 1):
            message = a_message(session, conversation)
            message.created_at = NOW + timedelta(seconds=seconds)
            inbox.hold_burst(session, message, WINDOW)
        assert message.handle_after == NOW + inbox.LONGEST_MERGE * WINDOW


@pytest.mark.parametrize("kind", [Kind.PRESS, Kind.TEXT])
def test_what_ends_a_burst_sets_it_free(sessions: Sessions, kind: Kind) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        first = a_message(session, conversation)
        inbox.hold_burst(session, first, WINDOW)
        last = a_message(session, conversation, kind=kind)
        inbox.hold_burst(session, last, timedelta(0))
        assert inbox.unhandled(session, conversation.id, NOW) == [first, last]


def test_handled_messages_and_other_conversations_are_left_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        mine, other = a_conversation(session), a_conversation(session, "jette")
        done, foreign = a_message(session, mine), a_message(session, other)
        done.handled_at = NOW
        inbox.hold_burst(session, a_message(session, mine), WINDOW)
        assert (done.handle_after, foreign.handle_after) == (None, None)


def test_an_agent_is_not_held_back(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        place = inbox.place_at(session, "web", "desk", ticket.number, side=Side.HANDOFF)
        said = inbox.record(
            session, ticket.conversation, place, NOW, author="agent", kind=Kind.TEXT, text="x", written_at=NOW,
            person=a_person(session, "maren"),
        )  # fmt: skip
        inbox.hold_burst(session, a_message(session, ticket.conversation), WINDOW)
        assert said.handle_after is None
