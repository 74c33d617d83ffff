"""Receives what platforms bring, handles it, and takes presses. The way of every message leads through here."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.agents import AgentCase
from bot.burst import BOT_HOLDS, Burst, burst_of, case_of
from bot.case import RequesterCase
from bot.channels.port import OPEN_TICKET, Incoming, Press, PressResult
from bot.dialogue import fail, handle_requester
from bot.house import House
from bot.intake import (
    is_handoff_channel,
    move_to_open_case,
    person_of,
    place_of_card,
    record_press,
    store_message,
    store_press,
)
from bot.lookups import complete
from bot.thinking import Thought, language_of, offered_in, search_again, think
from bot.timekeeping import ring
from handoff import inbox
from handoff.leases import Lease, LeaseLost, held_conversation, lock_conversation
from handoff.models import Author, Conversation, Kind, Message, Place, Side, Ticket, Timer
from handoff.timers import due_timers, put_off

logger = logging.getLogger(__name__)
SEARCHING_PRESSES = {"not_helped", "choose", "none", "ticket"}
RACES = 3  # times two may store a first message, place or person at the same moment before it is an error
LONGEST_PAUSE = 600.0  # seconds between two tries to handle a message
T = TypeVar("T")


class Engine:
    """The conversation: `receive` and `press` store, `handle` works. All three can be called from any thread."""

    def __init__(self, house: House) -> None:
        self.house = house

    # --- receive --------------------------------------------------------------------------------------------------
    def receive(self, incoming: Incoming) -> int | None:
        """Store a message; only then may its platform be acknowledged. Returns the Message id.

        The same source_id again gives the id of the first. None: chatter in a hand-off channel outside any ticket.
        Raises whatever the database raises when it cannot be stored; the platform then gets an error and repeats.
        """
        message = self.write(lambda session: store_message(self.house, session, incoming))
        self.house.bell.ring()
        return message.id if message is not None else None

    def write(self, write: Callable[[Session], T]) -> T:
        """Write in one transaction. Who loses a race for the same new row reads the winner's on the next try."""
        for _ in range(RACES):
            try:
                with self.house.sessions.begin() as session:
                    return write(session)
            except IntegrityError as raced:
                lost = raced
        raise lost

    # --- press ----------------------------------------------------------------------------------------------------
    def press(self, press: Press) -> PressResult:
        """Take a button. What agents press is done at once and its result told; what requesters press is stored and
        handled like a message. The same source_id again does nothing."""
        result = self.write(lambda session: self._press(session, press))
        self.house.bell.ring()
        return result

    def _press(self, session: Session, press: Press) -> PressResult:
        address = press.address
        seen = inbox.find_message(session, address.platform, press.source_id)
        if seen is not None:
            return PressResult(seen.outcome != "refused")
        place = inbox.find_place(session, address.platform, address.channel, address.thread)
        place = place_of_card(session, press) or place
        ticket = inbox.ticket_at(session, place)
        if place is not None and ticket is not None:
            return self._press_as_agent(session, press, place, ticket)
        if is_handoff_channel(self.house, address.platform, address.channel):
            return PressResult(False, self.house.handoff_texts()("no_such_ticket"))
        stored = store_press(self.house, session, press)
        if stored is not None:
            return PressResult(True)
        return PressResult(False, self.house.texts_of(person_of(session, press.person))("not_your_case"))

    def _press_as_agent(self, session: Session, press: Press, place: Place, ticket: Ticket) -> PressResult:
        agent = person_of(session, press.person)
        if place.side == Side.THIRD_LEVEL:
            return PressResult(False, self.house.texts_of(agent)("not_for_you"))
        conversation = lock_conversation(session, ticket.conversation_id)
        session.refresh(ticket)
        message = record_press(self.house, session, press, conversation, place, Author.AGENT)
        result = AgentCase(self.house, session, ticket, agent).press(press)
        message.handled_at, message.outcome = self.house.clock(), press.action if result.ok else "refused"
        return result

    # --- handle ---------------------------------------------------------------------------------------------------
    def handle(self, lease: Lease) -> None:
        """Handle everything of a conversation that is ready. Raises LeaseLost when another worker has taken it."""
        while (burst := self._next_burst(lease.conversation_id)) is not None:
            try:
                self._handle_burst(lease, burst)
            except LeaseLost:
                raise
            except Exception:
                # Whatever went wrong, the message stays: it is tried again later, and in the end a person gets it.
                logger.exception("message %s of conversation %s failed", burst.ids[0], lease.conversation_id)
                self._note_failure(lease, burst)
        self._ring_timers(lease)

    def _next_burst(self, conversation_id: int) -> Burst | None:
        with self.house.sessions() as session:
            ready = inbox.unhandled(session, conversation_id, self.house.clock())
            return burst_of(session, ready) if ready else None

    def _handle_burst(self, lease: Lease, burst: Burst) -> None:
        if burst.comes_too_late:
            self._move(lease, burst)
            return
        complete(self.house, burst)
        thought = self._think(burst)
        with self.house.sessions.begin() as session:
            conversation = held_conversation(session, lease)
            messages = burst.reload(session)
            if not messages or case_of(session, conversation) != burst.case:
                return  # somebody acted while we were thinking: it is read and handled anew
            outcome = self._handle_messages(session, burst, conversation, messages, thought)
            note_handled(messages, outcome, self.house)
        logger.info("conversation %s: %s message(s) handled: %s", lease.conversation_id, len(burst.ids), outcome)

    def _move(self, lease: Lease, burst: Burst) -> None:
        """What came in while its case was being closed belongs to the next one."""
        with self.house.sessions.begin() as session:
            conversation = held_conversation(session, lease)
            move_to_open_case(self.house, session, conversation, burst.reload(session))

    def _think(self, burst: Burst) -> Thought | None:
        """Ask the models, outside any transaction, where they are needed at all."""
        case = burst.case
        if burst.author != Author.REQUESTER or case.state not in BOT_HOLDS or burst.withdrawn:
            return None
        if burst.kind == Kind.PRESS:
            if burst.action == OPEN_TICKET:
                return think(self.house, case, burst.value)
            if burst.action not in SEARCHING_PRESSES:
                return None
            return search_again(self.house, case, did_not_help=burst.action == "not_helped")
        if burst.kind != Kind.TEXT:
            return None
        return search_again(self.house, case) if offered_in(case, burst.text) else think(self.house, case, burst.text)

    def _handle_messages(
        self,
        session: Session,
        burst: Burst,
        conversation: Conversation,
        messages: Sequence[Message],
        thought: Thought | None,
    ) -> str:
        first = messages[0]
        if burst.author == Author.AGENT:
            if conversation.ticket is None or first.person is None:
                raise LookupError(f"message {first.id} is from an agent, but there is no ticket")
            return AgentCase(self.house, session, conversation.ticket, first.person).take(first)
        own = all(message.person_id == conversation.requester_id for message in messages)
        if thought is not None and (own or conversation.language is None):
            conversation.language = thought.language
        return handle_requester(self.house, session, burst, messages, thought)

    # --- failure --------------------------------------------------------------------------------------------------
    def _note_failure(self, lease: Lease, burst: Burst) -> None:
        """Try again a little later; after the last try a visible failure with a ticket."""
        with self.house.sessions.begin() as session:
            held_conversation(session, lease)
            messages = burst.reload(session)
            for message in messages:
                message.handle_attempts += 1
                pause = min(2.0**message.handle_attempts, LONGEST_PAUSE)
                message.handle_after = self.house.clock() + timedelta(seconds=pause)
            given_up = any(m.handle_attempts >= self.house.settings.worker.handle_attempts for m in messages)
        if given_up:
            try:
                self._give_to_person(lease, burst)
            except LeaseLost:
                raise
            except Exception:
                # The pause stays, and so does the message: the next try may find what was missing.
                logger.exception("message %s could not even be given to a person", burst.ids[0])

    def _give_to_person(self, lease: Lease, burst: Burst) -> None:
        with self.house.sessions.begin() as session:
            conversation = held_conversation(session, lease)
            messages = burst.reload(session)
            if burst.author == Author.AGENT:
                outcome = RequesterCase(self.house, session, conversation).fail_agent()
            else:
                conversation.language = conversation.language or language_of(self.house, burst.case, burst.text)
                outcome = fail(RequesterCase(self.house, session, conversation), burst, messages)
            note_handled(messages, outcome, self.house)

    # --- timers ---------------------------------------------------------------------------------------------------
    def _ring_timers(self, lease: Lease) -> None:
        with self.house.sessions() as session:
            due = [timer.id for timer in due_timers(session, lease.conversation_id, self.house.clock())]
        for timer_id in due:
            try:
                self._ring(lease, timer_id)
            except LeaseLost:
                raise
            except Exception:
                logger.exception("timer %s of conversation %s failed", timer_id, lease.conversation_id)
                with self.house.sessions.begin() as session:
                    put_off(session, timer_id, self.house.clock() + timedelta(minutes=1))

    def _ring(self, lease: Lease, timer_id: int) -> None:
        with self.house.sessions.begin() as session:
            conversation = held_conversation(session, lease)
            timer = session.get(Timer, timer_id)
            if timer is None or timer.due_at > self.house.clock():
                return  # moved or cleared in the meantime
            kind = timer.kind
            session.delete(timer)
            session.flush()
            ring(RequesterCase(self.house, session, conversation), kind)
        logger.info("conversation %s: timer %s rang", lease.conversation_id, kind)


def note_handled(messages: Sequence[Message], outcome: str, house: House) -> None:
    """Every accepted message ends in exactly one outcome (behaviour rule 1)."""
    for message in messages:
        message.handled_at, message.outcome = house.clock(), outcome
