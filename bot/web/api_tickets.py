"""The API of tickets: lists, one ticket, everything that can be done with it, its transcript."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from markupsafe import Markup
from sqlalchemy import select

from bot.channels.port import Address, Press
from bot.channels.web import DESK
from bot.web.api_messages import LARGEST_UPLOAD, PROBLEMS, TAKES_FILES, incoming_of, press, store
from bot.web.api_models import DeskTicket, Done, EntryOut, OwnTicket, Stored, TicketPress
from bot.web.board import Filter, desk_address, list_tickets, readable_ticket
from bot.web.context import Anyone, OnDesk, PageTexts, Parts, Web, needs, sender
from bot.web.errors import Refusal
from bot.web.people import Visitor
from bot.web.rendering import page
from bot.web.uploads import read_written
from handoff import transcript
from handoff.desk import ticket_by_number, tickets_of
from handoff.inbox import person_at
from handoff.models import Person

router = APIRouter(prefix="/tickets", tags=["tickets"], responses=PROBLEMS)
Agent = Annotated[Visitor, Depends(needs("agent"))]
View = Literal["open", "mine", "unassigned", "overdue", "done"]


@router.get("/own")
def list_own_tickets(web: Parts, visitor: Anyone) -> list[OwnTicket]:
    """The visitor's own tickets, newest first."""
    with web.sessions() as session:
        person = session.scalar(select(Person).filter_by(platform="web", platform_id=visitor.id))
        return [OwnTicket.of(ticket) for ticket in tickets_of(session, person)] if person else []


@router.get("/own/{number}")
def get_own_ticket(number: str, web: Parts, visitor: Anyone) -> OwnTicket:
    """One of the visitor's own tickets; 404 for anybody else's."""
    with web.sessions() as session:
        ticket = ticket_by_number(session, number)
        mine = ticket is not None and (ticket.requester.platform, ticket.requester.platform_id) == ("web", visitor.id)
        if ticket is None or not mine:
            raise Refusal(404, "error_no_ticket", number=number)
        return OwnTicket.of(ticket)


@router.get("")
def list_desk_tickets(
    web: Parts,
    visitor: OnDesk,
    view: View = "open",
    queue: str | None = None,
    state: str | None = None,
    priority: Annotated[int | None, Query(ge=1, le=5)] = None,
    words: Annotated[str, Query(max_length=200)] = "",
) -> list[DeskTicket]:
    """Tickets of the desk; the third level sees those that were escalated to it."""
    with web.sessions() as session:
        chosen = Filter(view, queue, state, priority, words)
        return [DeskTicket.of(ticket) for ticket in list_tickets(session, visitor, chosen, web.now())]


@router.get("/{number}")
def get_ticket(number: str, web: Parts, visitor: OnDesk) -> DeskTicket:
    """One ticket of the desk."""
    with web.sessions() as session:
        return DeskTicket.of(readable_ticket(session, visitor, number))


@router.get("/{number}/transcript", responses={200: {"model": list[EntryOut]}})
def get_transcript(
    number: str,
    request: Request,
    web: Parts,
    visitor: OnDesk,
    kind: Annotated[Literal["json", "text", "html"], Query(alias="format")] = "json",
) -> Response:
    """Everything that was said, with what Lotse searched and how sure it was, as JSON, text or HTML (a download)."""
    with web.sessions() as session:
        ticket = readable_ticket(session, visitor, number)
        story = transcript.entries(session, ticket.conversation)
        if kind == "json":
            return JSONResponse([EntryOut.of(entry).model_dump(mode="json") for entry in story])
        if kind == "text":
            return PlainTextResponse(transcript.as_text(story), headers=as_download(f"{ticket.number}.txt"))
        html = Markup(transcript.as_html(story))  # noqa: S704 - it escapes what people wrote
        response = page(request, "transcript_file.html", ticket=ticket, story=html)
        response.headers.update(as_download(f"{ticket.number}.html"))
        return response


def as_download(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


@router.post("/{number}/messages", status_code=201, openapi_extra=TAKES_FILES, max_body_size=LARGEST_UPLOAD)
async def write_on_ticket(number: str, request: Request, web: Parts, visitor: OnDesk, texts: PageTexts) -> Stored:
    """Reply to the requester or, with `note`, write for colleagues only. The third level writes only notes."""
    written, files = await read_written(request)
    address = await run_in_threadpool(address_of, web, visitor, number)
    note = written.note or not visitor.is_agent
    incoming = incoming_of(
        web, visitor, address, written.text, written.source_id, files, is_note=note, is_reply=not note
    )
    stored = await run_in_threadpool(store, web, incoming, texts)
    web.doorbell.ring(DESK)
    return stored


@router.post("/{number}/actions")
def act_on_ticket(number: str, pressed: TicketPress, web: Parts, visitor: Agent) -> Done:
    """Claim, assign, change the state, correct, escalate, hand back, resolve, reopen, announce an outage.

    `ok` is false when the ticket does not allow it now, and `text` says why, for example who was faster.
    """
    if pressed.action == "assign":
        note_colleague(web, pressed.person or "")
    address = address_of(web, visitor, number)
    person = sender(visitor)
    return press(web, Press(address, person, pressed.action, pressed.value, str(pressed.source_id), pressed.fields()))


def address_of(web: Web, visitor: Visitor, number: str) -> Address:
    """The hand-off thread of a ticket that the visitor may see."""
    with web.sessions() as session:
        return desk_address(readable_ticket(session, visitor, number), visitor)


def note_colleague(web: Web, person_id: str) -> None:
    """Make sure the record knows whom a ticket is given to. Raises Refusal 422 for somebody who is no agent."""
    colleague = web.people.get(person_id)
    if colleague is None or not colleague.is_agent:
        raise Refusal(422, "error_invalid_fields", fields="person")
    with web.sessions.begin() as session:
        person_at(session, "web", colleague.id, colleague.name, colleague.language, colleague.address)
