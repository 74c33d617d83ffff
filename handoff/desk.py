"""What agents do with tickets. Every change is one entry in the ticket's log and redraws its card."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handoff.models import (
    OPEN_STATES,
    Author,
    Conversation,
    ConversationState,
    Kind,
    Message,
    Person,
    Place,
    Reason,
    Ticket,
    TicketEvent,
    TicketState,
    TicketType,
)
from handoff.outbox import post, update_card
from handoff.timers import TimerKind, clear_timer, set_timer


class NotPossible(Exception):  # noqa: N818 - said to the person who tried, as a reply key
    """The ticket is in a state that does not allow this. key names the sentence that says why."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a new ticket; each score is 0 to 1, None where nothing was measured."""

    summary: str
    type: TicketType = TicketType.INCIDENT
    category: str = "other"
    category_score: float | None = None
    queue: str = "service-desk"
    queue_score: float | None = None
    impact: int = 2
    urgency: int = 2


def note_event(session: Session, ticket: Ticket, kind: str, now: datetime, person: Person | None, **data: Any) -> None:
    """Write one line into the ticket's log and draw its card anew."""
    ticket.events.append(TicketEvent(kind=kind, person=person, at=now, data=data))
    session.flush()
    update_card(session, ticket.conversation)


def open_ticket(
    session: Session,
    conversation: Conversation,
    reason: Reason,
    proposal: Proposal,
    first_response_due: datetime,
    now: datetime,
) -> Ticket:
    """The conversation's ticket: a new one, or its open one handed over again (after a hand-back)."""
    if conversation.ticket is not None:
        return _hand_over_again(session, conversation.ticket, reason, first_response_due, now)
    ticket = Ticket(
        conversation=conversation,
        requester=conversation.requester,
        reason=reason,
        opened_at=now,
        first_response_due=first_response_due,
        **vars(proposal),
    )
    session.add(ticket)
    session.flush()
    note_event(session, ticket, "opened", now, None, reason=reason, category_score=proposal.category_score)
    _wait_for_person(session, conversation, ticket)
    return ticket


def _hand_over_again(session: Session, ticket: Ticket, reason: Reason, due: datetime, now: datetime) -> Ticket:
    """A new promise of a reaction; the one before stays in the log."""
    require_open(ticket)
    before = ticket.first_response_due.isoformat()
    ticket.state, ticket.agent, ticket.reason = TicketState.NEW, None, reason
    ticket.first_response_due, ticket.first_response_at = due, None
    note_event(session, ticket, "handed_over_again", now, None, reason=reason, due_before=before)
    _wait_for_person(session, ticket.conversation, ticket)
    return ticket


def _wait_for_person(session: Session, conversation: Conversation, ticket: Ticket) -> None:
    conversation.state = ConversationState.WAITING_FOR_PERSON
    conversation.expects = None
    clear_timer(session, conversation, TimerKind.FACTS, TimerKind.IDLE)
    set_timer(session, conversation, TimerKind.FIRST_RESPONSE, ticket.first_response_due)


def claim(session: Session, ticket: Ticket, agent: Person, now: datetime) -> None:
    """Take a ticket. Exactly one of many who try wins; the others get NotPossible with the winner's name."""
    free = update(Ticket).where(Ticket.id == ticket.id, Ticket.agent_id.is_(None), Ticket.state.in_(OPEN_STATES))
    won = session.execute(free.values(agent_id=agent.id, state=TicketState.IN_PROGRESS, claimed_at=now))
    session.refresh(ticket)
    if not won.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
        _say_why_not_claimed(ticket, agent)
    ticket.conversation.state = ConversationState.WITH_PERSON
    note_event(session, ticket, "claimed", now, agent)


def _say_why_not_claimed(ticket: Ticket, agent: Person) -> None:
    if not ticket.is_open:
        raise NotPossible("already_resolved", number=ticket.number)
    if ticket.agent_id == agent.id:
        raise NotPossible("claimed_by_you", number=ticket.number)
    raise NotPossible("claimed_by_other", number=ticket.number, name=ticket.agent.name if ticket.agent else "?")


def assign(session: Session, ticket: Ticket, agent: Person, now: datetime, by: Person) -> None:
    """Give a ticket to somebody, whoever had it."""
    require_open(ticket)
    ticket.agent, ticket.claimed_at = agent, ticket.claimed_at or now
    if ticket.state == TicketState.NEW:
        ticket.state = TicketState.IN_PROGRESS
    ticket.conversation.state = ConversationState.WITH_PERSON
    note_event(session, ticket, "assigned", now, by, to=agent.id)


def require_open(ticket: Ticket) -> None:
    """Raises NotPossible for a ticket that is resolved or closed."""
    if not ticket.is_open:
        raise NotPossible("already_resolved", number=ticket.number)


def note_human_spoke(session: Session, ticket: Ticket, agent: Person, now: datetime) -> None:
    """An agent wrote to the requester: the bot is silent from here on; who writes first owns an unclaimed ticket.

    A word after the ticket was resolved or closed is passed on and changes nothing.
    """
    if not ticket.is_open:
        note_event(session, ticket, "replied", now, agent)
        return
    ticket.conversation.state = ConversationState.WITH_PERSON
    if ticket.agent_id is None:
        ticket.agent, ticket.claimed_at = agent, now
    if ticket.state == TicketState.NEW:
        ticket.state = TicketState.IN_PROGRESS
    if ticket.first_response_at is None:
        ticket.first_response_at = now
        clear_timer(session, ticket.conversation, TimerKind.FIRST_RESPONSE)
    note_event(session, ticket, "replied", now, agent)


def note_requester_wrote(session: Session, ticket: Ticket, now: datetime) -> None:
    """The requester added something: a ticket that waited for them goes on."""
    if ticket.state == TicketState.WAITING_FOR_REQUESTER:
        ticket.state = TicketState.IN_PROGRESS
    note_event(session, ticket, "requester_wrote", now, ticket.requester)


def set_state(session: Session, ticket: Ticket, state: TicketState, now: datetime, by: Person) -> None:
    """Put an open ticket into another open state (waiting for requester, on hold, in progress)."""
    require_open(ticket)
    if state not in OPEN_STATES or state == TicketState.NEW:
        raise NotPossible("state_not_by_hand", number=ticket.number)
    old, ticket.state = ticket.state, state
    note_event(session, ticket, "state", now, by, old=old, new=state)


THIRD_LEVEL = 3
CORRECTABLE = ("type", "category", "queue", "impact", "urgency", "summary")


def correct(session: Session, ticket: Ticket, changes: dict[str, Any], now: datetime, by: Person) -> None:
    """Correct what was proposed. Raises ValueError for a field or value that cannot be set; then nothing is."""
    for name, value in changes.items():
        _check_correction(name, value)
    for name, value in changes.items():
        old = getattr(ticket, name)
        if old != value:
            setattr(ticket, name, value)
            if name in {"category", "queue"}:
                setattr(ticket, f"{name}_score", None)  # said by a person, not proposed
            note_event(session, ticket, "corrected", now, by, field=name, **_visible(name, old, value))


def _check_correction(name: str, value: Any) -> None:
    if name not in CORRECTABLE or (name in {"impact", "urgency"} and value not in {1, 2, 3}):
        raise ValueError(f"{name} cannot be set to this value")
    if name == "type":
        TicketType(value)


def _visible(name: str, old: Any, new: Any) -> dict[str, Any]:
    return {} if name == "summary" else {"old": old, "new": new}


def escalate(session: Session, ticket: Ticket, now: datetime, by: Person) -> None:
    """Bring in the third level; once. It gets the case and can write notes only."""
    require_open(ticket)
    if ticket.level == THIRD_LEVEL:
        raise NotPossible("already_escalated", number=ticket.number)
    ticket.level = THIRD_LEVEL
    note_event(session, ticket, "escalated", now, by)


def raise_ticket(
    session: Session, ticket: Ticket, reason: Reason, queue: str, urgency: int, due: datetime, now: datetime
) -> None:
    """What the requester added makes a waiting ticket weigh more: its reason, queue, urgency and due time follow."""
    ticket.reason, ticket.queue, ticket.urgency, ticket.first_response_due = reason, queue, urgency, due
    if ticket.first_response_at is None:
        set_timer(session, ticket.conversation, TimerKind.FIRST_RESPONSE, due)
    note_event(session, ticket, "raised", now, ticket.requester, reason=reason, queue=queue, urgency=urgency)


def hand_back(session: Session, ticket: Ticket, now: datetime, by: Person) -> None:
    """The bot speaks again; the ticket stays open and waits for the requester."""
    require_open(ticket)
    ticket.state = TicketState.WAITING_FOR_REQUESTER
    ticket.conversation.state = ConversationState.WITH_BOT
    ticket.conversation.expects = None
    ticket.conversation.memory = {}
    clear_timer(session, ticket.conversation, *TimerKind)
    note_event(session, ticket, "handed_back", now, by)


def resolve(
    session: Session, ticket: Ticket, cause: str, fix: str, reopen_until: datetime, now: datetime, by: Person | None
) -> None:
    """Close the work with cause and fix; until reopen_until "still broken" reopens it."""
    require_open(ticket)
    ticket.state, ticket.resolved_at, ticket.reopen_until = TicketState.RESOLVED, now, reopen_until
    ticket.cause, ticket.fix = cause.strip() or None, fix.strip() or None
    ticket.agent = ticket.agent or by
    ticket.conversation.state = ConversationState.RESOLVED
    ticket.conversation.expects = "confirm_resolved"
    clear_timer(session, ticket.conversation, *TimerKind)
    set_timer(session, ticket.conversation, TimerKind.CLOSE_RESOLVED, reopen_until)
    note_event(session, ticket, "resolved", now, by)


def reopen(session: Session, ticket: Ticket, now: datetime, by: Person | None) -> None:
    """Back to work, with the agent who had it. Raises NotPossible when it is open or the window is over."""
    if ticket.state != TicketState.RESOLVED or (ticket.reopen_until is not None and now > ticket.reopen_until):
        raise NotPossible("cannot_reopen", number=ticket.number)
    ticket.state = TicketState.IN_PROGRESS if ticket.agent_id else TicketState.NEW
    ticket.resolved_at = ticket.reopen_until = None
    ticket.conversation.state = ConversationState.WAITING_FOR_PERSON
    ticket.conversation.expects = None
    clear_timer(session, ticket.conversation, TimerKind.CLOSE_RESOLVED)
    note_event(session, ticket, "reopened", now, by)


def close(session: Session, conversation: Conversation, outcome: str, now: datetime) -> None:
    """End a conversation, and its ticket where it has one; what comes after is a new case linked to it."""
    conversation.state, conversation.outcome, conversation.closed_at = ConversationState.CLOSED, outcome, now
    conversation.expects = None
    clear_timer(session, conversation, *TimerKind)
    ticket = conversation.ticket
    if ticket is not None and ticket.state != TicketState.CLOSED:
        ticket.state, ticket.closed_at = TicketState.CLOSED, now
        note_event(session, ticket, "closed", now, None, outcome=outcome)


def announce_outage(session: Session, ticket: Ticket, now: datetime, by: Person, *, on: bool) -> None:
    """Tell everybody who asks that this is known, or stop telling."""
    require_open(ticket)
    ticket.outage = on
    note_event(session, ticket, "outage_announced" if on else "outage_over", now, by)


def known_outages(session: Session) -> list[Ticket]:
    """Open tickets announced as outages, newest first."""
    announced = select(Ticket).where(Ticket.outage.is_(True), Ticket.state.in_(OPEN_STATES))
    return list(session.scalars(announced.order_by(Ticket.id.desc())))


def relay(session: Session, message: Message, places: list[Place], now: datetime) -> list[Message]:
    """Bring a message to other places; text and attachments are those of the message it concerns."""
    return [
        post(
            session,
            message.conversation,
            place,
            Kind.RELAY,
            message.text,
            now,
            author=Author(message.author),
            person=message.person,
            concerns=message,
        )
        for place in places
    ]


def handoff_places(ticket: Ticket, *, but: Place | None = None) -> list[Place]:
    """Where agents (and the third level) follow a ticket, without the place a message came from."""
    return [place for place in ticket.places if place.lost_at is None and (but is None or place.id != but.id)]


def written_to_bot(session: Session, ticket: Ticket) -> list[Message]:
    """What was written to the bot since the ticket was handed back to it, which its agents have not read."""
    back = [event.at for event in ticket.events if event.kind == "handed_back"]
    if not back:
        return []
    told = select(Message).where(Message.conversation_id == ticket.conversation_id, Message.to_send.is_(False))
    told = told.where(Message.author == Author.REQUESTER, Message.kind == Kind.TEXT, Message.created_at >= back[-1])
    relayed = select(Message.concerns_id).where(Message.kind == Kind.RELAY, Message.concerns_id.is_not(None))
    return list(session.scalars(told.where(Message.id.not_in(relayed)).order_by(Message.id)))


def tickets_of(session: Session, requester: Person, limit: int = 20) -> list[Ticket]:
    """A requester's tickets, newest first."""
    own = select(Ticket).where(Ticket.requester_id == requester.id)
    return list(session.scalars(own.order_by(Ticket.id.desc()).limit(limit)))


def ticket_by_number(session: Session, number: str) -> Ticket | None:
    """The ticket with this number (`TKT-1042`, `#1042`, `1042`), or None."""
    digits = "".join(character for character in number if character.isdecimal())
    return session.get(Ticket, int(digits) - 1000) if digits and len(digits) < 10 else None
