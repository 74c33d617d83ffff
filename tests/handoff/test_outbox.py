"""What goes out: order in a place, back-off of a destination, and the last line of defence for notes."""

from datetime import timedelta

import pytest
from records import NOW, a_conversation, a_message, a_thread, a_ticket
from sqlalchemy.orm import Session

from bot.db import Sessions
from handoff import outbox
from handoff.models import Author, Conversation, ConversationState, Kind, Message, Place, Side
from handoff.outbox import LONGEST_BACK_OFF, NoteWouldLeak, next_to_send, post


def say(session: Session, conversation: Conversation, text: str = "Hallo", place: Place | None = None) -> Message:
    return post(session, conversation, place or conversation.place, Kind.SAY, text, NOW, bot_only=True)


def deliver(message: Message) -> None:
    assert outbox.start_sending(message, NOW)
    outbox.mark_delivered(message, message.revision, f"p-{message.id}", NOW)


# --- order ------------------------------------------------------------------------------------------------------------
def test_posts_leave_in_their_order(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        first, second = say(session, conversation), say(session, conversation)
        assert next_to_send(session, conversation.id, NOW) is first
        deliver(first)
        assert next_to_send(session, conversation.id, NOW) is second
        deliver(second)
        assert next_to_send(session, conversation.id, NOW) is None


def test_a_place_that_is_away_holds_up_its_own_posts_only(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        here = say(session, ticket.conversation)
        say(session, ticket.conversation)
        there = say(session, ticket.conversation, place=ticket.places[0])
        outbox.postpone(here, NOW, 60, unclear=False)
        assert next_to_send(session, ticket.conversation_id, NOW) is there
        assert next_to_send(session, ticket.conversation_id, NOW + timedelta(seconds=60)) is here


def test_what_failed_for_good_or_was_dropped_holds_up_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        first, second, third = (say(session, conversation) for _ in range(3))
        outbox.mark_undeliverable(first, "x" * 500, NOW)
        second.dropped_at = NOW
        assert len(first.failure or "") == 200
        assert next_to_send(session, conversation.id, NOW) is third


def test_a_newer_revision_is_sent_again(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        card = post(session, ticket.conversation, ticket.places[0], Kind.CARD, "", NOW)
        outbox.start_sending(card, NOW)
        outbox.update_card(session, ticket.conversation)  # while it is on its way
        outbox.mark_delivered(card, 1, "p-1", NOW)
        assert next_to_send(session, ticket.conversation_id, NOW) is card


# --- a person has taken over ------------------------------------------------------------------------------------------
def test_only_what_the_bot_says_for_itself_is_dropped_when_a_person_is_there(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        chatter = say(session, conversation)
        notice = post(session, conversation, conversation.place, Kind.NOTICE, "Ticket", NOW)
        conversation.state = ConversationState.WITH_PERSON
        assert not outbox.start_sending(chatter, NOW)
        assert chatter.dropped_at == NOW
        assert outbox.start_sending(notice, NOW)


# --- failing ----------------------------------------------------------------------------------------------------------
def test_the_pauses_double_up_to_a_limit_and_end_with_the_first_success(sessions: Sessions) -> None:
    with sessions.begin() as session:
        message = say(session, a_conversation(session))
        pauses = []
        for _ in range(2000):
            outbox.postpone(message, NOW, None, unclear=False)
            assert message.place.retry_at is not None
            pauses.append(message.place.retry_at - NOW)
        assert [pause.total_seconds() for pause in pauses[:4]] == [1, 2, 4, 8]
        assert pauses[-1] == LONGEST_BACK_OFF
        deliver(message)
        assert (message.place.failures, message.place.retry_at) == (0, None)


@pytest.mark.parametrize("unclear", [True, False])
def test_only_an_unclear_outcome_is_remembered_as_begun(sessions: Sessions, unclear: bool) -> None:
    with sessions.begin() as session:
        message = say(session, a_conversation(session))
        outbox.start_sending(message, NOW)
        outbox.postpone(message, NOW, None, unclear=unclear)
        assert (message.send_started_at is not None) is unclear


def test_a_place_that_can_be_reached_again_is_not_unreachable(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        outbox.mark_undeliverable(say(session, conversation), "blocked", NOW)
        assert conversation.place.unreachable_at == NOW
        deliver(say(session, conversation))
        assert conversation.place.unreachable_at is None


# --- notes ------------------------------------------------------------------------------------------------------------
def a_note(session: Session, conversation: Conversation) -> Message:
    return a_message(session, conversation, "// geheim", kind=Kind.NOTE, author=Author.AGENT)


def test_a_note_cannot_be_addressed_to_a_requester(sessions: Sessions) -> None:
    with sessions.begin() as session:
        conversation = a_conversation(session)
        note = a_note(session, conversation)
        edit = a_message(session, conversation, "geheim", kind=Kind.EDIT, author=Author.AGENT, concerns=note)
        with pytest.raises(NoteWouldLeak):
            post(session, conversation, conversation.place, Kind.NOTE, "geheim", NOW)
        for hidden in (note, edit):
            with pytest.raises(NoteWouldLeak):
                post(session, conversation, conversation.place, Kind.RELAY, "geheim", NOW, concerns=hidden)


def test_a_note_reaches_agents_and_the_third_level(sessions: Sessions) -> None:
    with sessions.begin() as session:
        ticket = a_ticket(session)
        a_thread(session, ticket, "third-level", Side.THIRD_LEVEL)
        note = a_note(session, ticket.conversation)
        sent = [
            post(session, ticket.conversation, place, Kind.RELAY, note.text, NOW, concerns=note)
            for place in ticket.places
        ]
        assert [message.place.side for message in sent] == [Side.HANDOFF, Side.THIRD_LEVEL]
