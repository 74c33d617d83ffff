"""The employee's pages: the chat, and the parts of it that are drawn again when something changes."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.web.context import Anyone, Parts
from bot.web.rendering import page
from bot.web.thread import read_thread
from bot.web.uploads import LONGEST_TEXT, MOST_FILES
from handoff.desk import known_outages, tickets_of
from handoff.models import Person, Ticket

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_chat(request: Request, web: Parts, visitor: Anyone) -> Response:
    """The whole page."""
    with web.sessions() as session:
        return page(
            request,
            "chat.html",
            thread=read_thread(session, visitor.id),
            tickets=own_tickets(session, visitor.id),
            outages=known_outages(session),
            longest_text=LONGEST_TEXT,
            most_files=MOST_FILES,
        )


@router.get("/chat/thread")
def show_thread(request: Request, web: Parts, visitor: Anyone) -> Response:
    """The messages alone."""
    with web.sessions() as session:
        return page(request, "parts/thread.html", thread=read_thread(session, visitor.id))


@router.get("/chat/tickets")
def show_tickets(request: Request, web: Parts, visitor: Anyone) -> Response:
    """The visitor's own tickets."""
    with web.sessions() as session:
        return page(request, "parts/own_tickets.html", tickets=own_tickets(session, visitor.id))


@router.get("/chat/outages")
def show_outages(request: Request, web: Parts, visitor: Anyone) -> Response:
    """What is known to be broken."""
    with web.sessions() as session:
        return page(request, "parts/outages.html", outages=known_outages(session))


def own_tickets(session: Session, person_id: str) -> list[Ticket]:
    person = session.scalar(select(Person).filter_by(platform="web", platform_id=person_id))
    return tickets_of(session, person, limit=8) if person is not None else []
