"""Which tickets the desk shows: filters, counts, and who may see which ticket."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from bot.channels.port import Address
from bot.web.errors import Refusal
from bot.web.people import Visitor
from handoff.desk import ticket_by_number
from handoff.models import OPEN_STATES, Person, Place, Side, Ticket

LONGEST_LIST = 200


@dataclass(frozen=True)
class Filter:
    """What to show. view: `open`, `mine`, `unassigned`, `overdue`, `done`; None in a field means any."""

    view: str = "open"
    queue: str | None = None
    state: str | None = None
    priority: int | None = None
    words: str = ""


VIEWS = ("open", "mine", "unassigned", "overdue", "done")


def list_tickets(session: Session, visitor: Visitor, chosen: Filter, now: datetime) -> list[Ticket]:
    """Tickets of a filter: the most urgent first, those done with the newest first."""
    found = select(Ticket).where(*conditions(visitor, chosen, now)).limit(LONGEST_LIST)
    found = found.options(joinedload(Ticket.requester), joinedload(Ticket.agent))
    order = (
        (Ticket.id.desc(),) if chosen.view == "done" else (Ticket.impact + Ticket.urgency, Ticket.first_response_due)
    )
    return list(session.scalars(found.order_by(*order)))


def count_views(session: Session, visitor: Visitor, now: datetime) -> dict[str, int]:
    """How many tickets each view holds."""
    return {view: count(session, select(Ticket).where(*conditions(visitor, Filter(view), now))) for view in VIEWS}


def count(session: Session, chosen: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(chosen.subquery())) or 0


def conditions(visitor: Visitor, chosen: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """The filter as SQL, within what the visitor may see."""
    asked = [seen_by(visitor), in_view(visitor, chosen.view, now)]
    if chosen.queue:
        asked.append(Ticket.queue == chosen.queue)
    if chosen.state:
        asked.append(Ticket.state == chosen.state)
    if chosen.priority:
        asked.append(Ticket.impact + Ticket.urgency - 1 == chosen.priority)
    asked.extend(holding(word) for word in chosen.words.split()[:10])
    return asked


def holding(word: str) -> ColumnElement[bool]:
    """Tickets whose summary, requester or number holds a word."""
    digits = word.upper().removeprefix("TKT-").removeprefix("#")
    number = Ticket.id == int(digits) - 1000 if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None
    requester = Ticket.requester.has(Person.name.icontains(word, autoescape=True))
    words = or_(Ticket.summary.icontains(word, autoescape=True), requester)
    return words if number is None else or_(words, number)


def in_view(visitor: Visitor, view: str, now: datetime) -> ColumnElement[bool]:
    """The tickets of one view."""
    is_open = Ticket.state.in_(OPEN_STATES)
    views = {
        "mine": and_(is_open, Ticket.agent.has(Person.platform_id == visitor.id)),
        "unassigned": and_(is_open, Ticket.agent_id.is_(None)),
        "overdue": and_(is_open, late(now)),
        "done": ~is_open,
    }
    return views.get(view, is_open)


def late(now: datetime) -> ColumnElement[bool]:
    """Nobody has reacted, and somebody should have."""
    return and_(Ticket.first_response_at.is_(None), Ticket.first_response_due < now)


def is_late(ticket: Ticket, now: datetime) -> bool:
    return ticket.is_open and ticket.first_response_at is None and ticket.first_response_due < now


def seen_by(visitor: Visitor) -> ColumnElement[bool]:
    """Agents see every ticket, the third level those that were escalated to it."""
    if visitor.is_agent:
        return Ticket.id > 0
    return Ticket.places.any(Place.side == Side.THIRD_LEVEL)


def readable_ticket(session: Session, visitor: Visitor, number: str) -> Ticket:
    """The ticket with this number. Raises Refusal 404 when there is none or the visitor may not see it."""
    ticket = ticket_by_number(session, number)
    if ticket is None or not may_see(visitor, ticket):
        raise Refusal(404, "error_no_ticket", number=number)
    return ticket


def may_see(visitor: Visitor, ticket: Ticket) -> bool:
    if visitor.is_agent:
        return True
    return "third_level" in visitor.roles and any(place.side == Side.THIRD_LEVEL for place in ticket.places)


def desk_address(ticket: Ticket, visitor: Visitor) -> Address:
    """The hand-off thread of a ticket; for who is third level only, their own thread of it."""
    side, channel = (Side.HANDOFF, "desk") if visitor.is_agent else (Side.THIRD_LEVEL, "third-level")
    for place in ticket.places:
        if place.side == side and place.platform == "web":
            return Address("web", place.channel, place.thread)
    return Address("web", channel, ticket.number)
