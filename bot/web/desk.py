"""The hand-off pages: the cards of all tickets, and one ticket with its whole conversation."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from bot.posts import link_to
from bot.web.board import Filter, count_views, is_late, list_tickets, readable_ticket
from bot.web.context import OnDesk, Parts, Web
from bot.web.people import Visitor
from bot.web.rendering import page
from bot.web.uploads import LONGEST_TEXT, MOST_FILES
from handoff import transcript
from handoff.desk import handoff_places
from handoff.models import OPEN_STATES, Kind, Message, Ticket, TicketEvent, TicketState
from handoff.related import related_cases
from kb_index.port import Hit

router = APIRouter(prefix="/desk", include_in_schema=False)
Word = Annotated[str | None, Query(max_length=60)]
BY_HAND = (TicketState.IN_PROGRESS, TicketState.WAITING_FOR_REQUESTER, TicketState.ON_HOLD)


@router.get("")
def show_board(
    request: Request,
    web: Parts,
    visitor: OnDesk,
    view: Annotated[str, Query(max_length=20)] = "open",
    queue: Word = None,
    state: Word = None,
    priority: Word = None,
    words: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The cards; a request of htmx gets the list alone."""
    wanted = int(priority) if priority and priority.isdecimal() else None
    chosen = Filter(view, queue or None, state or None, wanted, words)
    template = "parts/board.html" if "hx-request" in request.headers else "desk.html"
    with web.sessions() as session:
        return page(request, template, **board_values(session, web, visitor, chosen))


def board_values(session: Session, web: Web, visitor: Visitor, chosen: Filter) -> dict[str, Any]:
    now = web.now()
    return {
        "chosen": chosen,
        "tickets": list_tickets(session, visitor, chosen, now),
        "counts": count_views(session, visitor, now),
        "is_late": lambda ticket: is_late(ticket, now),
        "queues": list(web.settings.handoff.queues),
        "states": list(OPEN_STATES),
    }


@router.get("/{number}")
def show_ticket(number: str, request: Request, web: Parts, visitor: OnDesk) -> Response:
    """One ticket, its conversation, and what can be done."""
    with web.sessions() as session:
        ticket = readable_ticket(session, visitor, number)
        return page(request, "ticket.html", **ticket_values(session, web, visitor, ticket))


@router.get("/{number}/thread")
def show_ticket_thread(number: str, request: Request, web: Parts, visitor: OnDesk) -> Response:
    """The conversation alone."""
    with web.sessions() as session:
        ticket = readable_ticket(session, visitor, number)
        return page(request, "parts/transcript.html", ticket=ticket, **conversation_values(session, ticket))


@router.get("/{number}/facts")
def show_ticket_facts(number: str, request: Request, web: Parts, visitor: OnDesk) -> Response:
    """State, owner and what can be done, alone."""
    with web.sessions() as session:
        ticket = readable_ticket(session, visitor, number)
        return page(request, "parts/facts.html", **facts_values(session, web, ticket))


@router.get("/{number}/suggestions")
def show_suggestions(number: str, request: Request, web: Parts, visitor: OnDesk) -> Response:
    """Related past cases and articles; asked for after the page, because the search asks a model."""
    with web.sessions() as session:
        ticket = readable_ticket(session, visitor, number)
        cases = related_cases(session, ticket) if visitor.is_agent else []
        summary, language = ticket.summary, ticket.conversation.language or web.settings.handoff.language
    found = find_articles(web, summary, language)
    return page(request, "parts/suggestions.html", cases=cases, hits=found)


def find_articles(web: Web, summary: str, language: str) -> Sequence[Hit]:
    if not any(character.isalpha() for character in summary):
        return ()
    hits: Sequence[Hit] = web.knowledge.find_articles(summary, language, 4)
    return hits


def ticket_values(session: Session, web: Web, visitor: Visitor, ticket: Ticket) -> dict[str, Any]:
    return {
        **facts_values(session, web, ticket),
        **conversation_values(session, ticket),
        "colleagues": [person for person in web.people.values() if person.is_agent],
        "queues": list(web.settings.handoff.queues),
        "categories": sorted({*web.settings.handoff.categories, ticket.category}),
        "by_hand": [state for state in BY_HAND if state != ticket.state],
        "longest_text": LONGEST_TEXT,
        "most_files": MOST_FILES,
    }


def facts_values(session: Session, web: Web, ticket: Ticket) -> dict[str, Any]:
    events = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id.desc()).limit(40)
    ).all()
    now = web.now()
    return {
        "ticket": ticket,
        "late": is_late(ticket, now),
        "may_reopen": ticket.state == TicketState.RESOLVED
        and (ticket.reopen_until is None or now <= ticket.reopen_until),
        "events": events,
        "threads": [place for place in (ticket.conversation.place, *handoff_places(ticket)) if link_to(place)],
    }


def conversation_values(session: Session, ticket: Ticket) -> dict[str, Any]:
    """The transcript, and what did not reach the requester."""
    undelivered = select(Message).where(
        Message.conversation_id == ticket.conversation_id, Message.kind == Kind.RELAY, Message.failure.is_not(None)
    )
    return {
        "entries": transcript.entries(session, ticket.conversation),
        "failed": list(session.scalars(undelivered.options(selectinload(Message.place)))),
    }
