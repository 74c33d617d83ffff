"""Server-sent events: a page that listens is told that something it shows has changed, and looks again."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.channels.port import Address
from bot.channels.web import DESK, Doorbell, place_key
from bot.web.board import readable_ticket
from bot.web.context import OnDesk, OwnAddress, Parts, Web
from handoff.models import Message, Place, Ticket, TicketEvent

LOOK_EVERY = 2.0  # seconds; what another process changed is seen after this time at the latest
CHANGED = ServerSentEvent(event="change", raw_data="look again", retry=2000)
router = APIRouter(prefix="/events", include_in_schema=False, default_response_class=EventSourceResponse)


def seen_ticket(number: str, web: Parts, visitor: OnDesk) -> str:
    """The number of a ticket the visitor may see, checked before the stream begins. Raises Refusal 404."""
    with web.sessions() as session:
        return readable_ticket(session, visitor, number).number


SeenTicket = Annotated[str, Depends(seen_ticket)]


@router.get("/chat", response_class=EventSourceResponse)
async def chat_events(web: Parts, address: OwnAddress) -> AsyncIterator[ServerSentEvent]:
    """Changes in one own thread and in the own tickets."""
    async for change in changes(web.doorbell, looker(web, lambda s: look_at_chat(s, address)), place_key(address)):
        yield change


@router.get("/desk", response_class=EventSourceResponse)
async def desk_events(web: Parts, visitor: OnDesk) -> AsyncIterator[ServerSentEvent]:
    """Changes of any ticket."""
    async for change in changes(web.doorbell, looker(web, look_at_desk), DESK):
        yield change


@router.get("/tickets/{number}", response_class=EventSourceResponse)
async def ticket_events(number: SeenTicket, web: Parts, visitor: OnDesk) -> AsyncIterator[ServerSentEvent]:
    """Changes of one ticket and its conversation."""

    def look(session: Session) -> str:
        return look_at_ticket(session, readable_ticket(session, visitor, number))

    async for change in changes(web.doorbell, looker(web, look), DESK):
        yield change


async def changes(doorbell: Doorbell, look: Callable[[], str], *keys: str) -> AsyncIterator[ServerSentEvent]:
    """One event at the start (something may have been missed before), then one whenever look() gives something new."""
    seen = None
    with doorbell.listen(*keys) as bell:
        while not doorbell.closed:
            now = await run_in_threadpool(look)
            if now != seen:
                yield CHANGED
            seen = now
            await bell.wait(LOOK_EVERY)


def looker(web: Web, look: Callable[[Session], str]) -> Callable[[], str]:
    """look() in a short transaction of its own: a stream holds no connection while it waits."""

    def look_once() -> str:
        with web.sessions() as session:
            return look(session)

    return look_once


def look_at_chat(session: Session, address: Address) -> str:
    """A short text that is different when an employee's page would be."""
    here = Place.platform == address.platform, Place.channel == address.channel, Place.thread == address.thread
    messages = select(*newest(Message)).join(Place, Message.place_id == Place.id).where(*here)
    return f"{session.execute(messages).one()} {session.scalar(select(func.max(TicketEvent.id)))}"


def look_at_desk(session: Session) -> str:
    """A short text that is different when any ticket is."""
    return f"{session.scalar(select(func.max(TicketEvent.id)))} {session.scalar(select(func.max(Ticket.id)))}"


def look_at_ticket(session: Session, ticket: Ticket) -> str:
    """A short text that is different when one ticket's page would be."""
    messages = select(*newest(Message)).where(Message.conversation_id == ticket.conversation_id)
    events = select(func.max(TicketEvent.id)).where(TicketEvent.ticket_id == ticket.id)
    return f"{session.execute(messages).one()} {session.scalar(events)}"


def newest(message: type[Message]) -> tuple[ColumnElement[Any], ...]:
    """The marks that move when messages come, are handled, delivered or dropped."""
    return tuple(func.max(mark) for mark in (message.id, message.handled_at, message.delivered_at, message.dropped_at))
