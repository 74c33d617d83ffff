"""Receives what platforms bring, handles it, and takes presses. The way of every message leads through here."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.agents import AgentCase
from bot.burst import BOT_HOLDS, Burst, burst_of
from bot.case import RequesterCase
from bot.channels.port import Incoming, Press, PressResult
from bot.dialogue import handle_requester
from bot.house import House
from bot.intake import is_handoff_channel, person_of, record_press, store_message, store_press
from bot.thinking import Thought, search_again, think
from handoff import desk, inbox
from handoff.models import Author, Conversation, Kind, Message, Place, Side, Ticket, Timer
from handoff.timers import TimerKind, due_timers

logger = logging.getLogger(__name__)
SEARCHING_PRESSES = {"not_helped", "choose", "none", "ticket"}


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
        try:
            with self.house.sessions.begin() as session:
                message = store_message(self.house, session, incoming)
        except IntegrityError:
            # Two receives of the same event raced; the other one stored it.
            with self.house.sessions() as session:
                message = inbox.find_message(session, incoming.address.platform, incoming.source_id)
            if message is None:
                raise
        self.house.bell.ring()
        return message.id if message is not None else None

    # --- press ----------------------------------------------------------------------------------------------------
    def press(self, press: Press) -> PressResult:
        """Take a button. What agents press is done at once and its result told; what requesters press is stored and
        handled like a message. The same source_id again does nothing."""
        try:
            with self.house.sessions.begin() as session:
                result = self._press(session, press)
        except IntegrityError:
            result = PressResult(True)  # the same press raced with itself; the other one did it
        self.house.bell.ring()
        return result

    def _press(self, session: Session, press: Press) -> PressResult:
        address = press.address
        if inbox.find_message(session, address.platform, press.source_id) is not None:
            return PressResult(True)
        place = inbox.find_place(session, address.platform, address.channel, address.thread)
        ticket = inbox.ticket_at(session, place)
        if place is not None and ticket is not None:
            return self._press_as_agent(session, press, place, ticket)
        if is_handoff_channel(self.house, address.platform, address.channel):
            return PressResult(False, self.house.handoff_texts()("no_such_ticket"))
        store_press(self.house, session, press)
        return PressResult(True)

    def _press_as_agent(self, session: Session, press: Press, place: Place, ticket: Ticket) -> PressResult:
        agent = person_of(session, press.person)
        if place.side == Side.THIRD_LEVEL:
            return PressResult(False, self.house.texts_of(agent)("not_for_you"))
        message = record_press(self.house, session, press, ticket.conversation, place, Author.AGENT)
        result = AgentCase(self.house, session, ticket, agent).press(press)
        message.handled_at, message.outcome = self.house.clock(), press.action if result.ok else "refused"
        return result

    # --- handle ---------------------------------------------------------------------------------------------------
    def handle(self, conversation_id: int) -> None:
        """Handle everything of a conversation that is ready. Called by the holder of its lease."""
        while (burst := self._next_burst(conversation_id)) is not None:
            try:
                self._handle_burst(burst)
            except Exception:
                # Whatever went wrong, the message stays: it is tried again later, and in the end a person gets it.
                logger.exception("message %s of conversation %s failed", burst.ids[0], conversation_id)
                self._note_failure(burst)
        self._ring_timers(conversation_id)

    def _next_burst(self, conversation_id: int) -> Burst | None:
        with self.house.sessions() as session:
            ready = inbox.unhandled(session, conversation_id, self.house.clock())
            return burst_of(session, ready) if ready else None

    def _handle_burst(self, burst: Burst) -> None:
        thought = self._think(burst)
        with self.house.sessions.begin() as session:
            messages = burst.reload(session)
            if not messages or messages[0].conversation.state != burst.case.state:
                return  # somebody acted while we were thinking: it is read and handled anew
            outcome = self._handle_messages(session, burst, messages, thought)
            for message in messages:
                message.handled_at, message.outcome = self.house.clock(), outcome
        logger.info("conversation %s: %s message(s) handled: %s", burst.case.conversation_id, len(burst.ids), outcome)

    def _think(self, burst: Burst) -> Thought | None:
        """Ask the models, outside any transaction, where they are needed at all."""
        if burst.author != Author.REQUESTER or burst.case.state not in BOT_HOLDS:
            return None
        if burst.kind == Kind.PRESS:
            return search_again(self.house, burst.case) if burst.action in SEARCHING_PRESSES else None
        return think(self.house, burst.case, burst.text) if burst.kind == Kind.TEXT else None

    def _handle_messages(
        self, session: Session, burst: Burst, messages: Sequence[Message], thought: Thought | None
    ) -> str:
        first = messages[0]
        if burst.author == Author.AGENT:
            if first.conversation.ticket is None or first.person is None:
                raise LookupError(f"message {first.id} is from an agent, but there is no ticket")
            return AgentCase(self.house, session, first.conversation.ticket, first.person).take(first)
        if thought is not None and first.conversation.language is None:
            first.conversation.language = thought.language
        return handle_requester(self.house, session, burst, messages, thought)

    def _note_failure(self, burst: Burst) -> None:
        """Try again a little later; after the last try a visible failure with a ticket."""
        worker = self.house.settings.worker
        with self.house.sessions.begin() as session:
            messages = burst.reload(session)
            for message in messages:
                message.handle_attempts += 1
                message.handle_after = self.house.clock() + timedelta(seconds=2.0**message.handle_attempts)
            if messages and messages[0].handle_attempts >= worker.handle_attempts:
                self._give_to_person(session, burst, messages)

    def _give_to_person(self, session: Session, burst: Burst, messages: Sequence[Message]) -> None:
        outcome = RequesterCase(self.house, session, messages[0].conversation).fail(messages, burst.text)
        for message in messages:
            message.handled_at, message.outcome = self.house.clock(), outcome

    # --- timers ---------------------------------------------------------------------------------------------------
    def _ring_timers(self, conversation_id: int) -> None:
        with self.house.sessions() as session:
            due = [timer.id for timer in due_timers(session, conversation_id, self.house.clock())]
        for timer_id in due:
            with self.house.sessions.begin() as session:
                timer = session.get(Timer, timer_id)
                if timer is not None and timer.due_at <= self.house.clock():
                    kind, conversation = timer.kind, timer.conversation
                    session.delete(timer)
                    session.flush()
                    self._ring(session, kind, conversation)

    def _ring(self, session: Session, kind: str, conversation: Conversation) -> None:
        requester_case = RequesterCase(self.house, session, conversation)
        match kind:
            case TimerKind.FACTS:
                requester_case.open_ticket()
            case TimerKind.IDLE:
                requester_case.let_go()
            case TimerKind.FIRST_RESPONSE:
                requester_case.warn_about_first_response()
            case TimerKind.CLOSE_RESOLVED:
                desk.close(session, conversation, "assumed", self.house.clock())
        logger.info("conversation %s: timer %s rang", conversation.id, kind)
