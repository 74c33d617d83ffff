"""The API of the employee: write, change and take back messages, press buttons, open files."""

import logging
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from bot.channels.port import Address, File, Incoming, Press
from bot.channels.web import place_key
from bot.texts import Texts
from bot.web.api_models import Done, Edited, MessageOut, Pressed, Problem, Refused, Stored, ThreadOut
from bot.web.board import may_see
from bot.web.context import Anyone, OwnAddress, PageTexts, Parts, Web, sender
from bot.web.errors import Refusal
from bot.web.people import Visitor
from bot.web.thread import may_read_file, read_thread
from bot.web.uploads import MOST_FILES, Written, WrittenWithFiles, check_text, read_written
from handoff.models import Attachment, Kind, Message

logger = logging.getLogger(__name__)
LARGEST_UPLOAD = (MOST_FILES * 100 + 1) * 1024 * 1024  # bytes; spooled to disk, each file is judged on its own
PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem},
    403: {"model": Problem},
    404: {"model": Problem},
    422: {"model": Problem},
    503: {"model": Problem, "description": "It could not be stored; nothing is lost, send it again."},
}
TAKES_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": Written.model_json_schema()},
            "multipart/form-data": {"schema": WrittenWithFiles.model_json_schema()},
        },
    }
}
router = APIRouter(tags=["messages"], responses=PROBLEMS)


@router.get("/chat/messages")
def list_messages(web: Parts, address: OwnAddress) -> ThreadOut:
    """One own thread: what was written there and what was delivered."""
    with web.sessions() as session:
        thread = read_thread(session, address)
        messages = [MessageOut.of(bubble) for bubble in thread.bubbles]
    return ThreadOut(messages=messages, typing=thread.typing, with_person=thread.with_person)


@router.post("/chat/messages", status_code=201, openapi_extra=TAKES_FILES, max_body_size=LARGEST_UPLOAD)
async def write_message(request: Request, web: Parts, visitor: Anyone, address: OwnAddress, texts: PageTexts) -> Stored:
    """Write to the helpdesk. Answered as soon as the message is on disk."""
    written, files = await read_written(request)
    incoming = incoming_of(web, visitor, address, written.text, written.source_id, files)
    return await run_in_threadpool(store, web, incoming, texts)


@router.patch("/chat/messages/{message_id}")
def edit_message(
    message_id: int, edited: Edited, web: Parts, visitor: Anyone, address: OwnAddress, texts: PageTexts
) -> Stored:
    """Give the own last message a new wording."""
    check_text(edited.text)
    original = own_message(web, address, message_id)
    return store(
        web, incoming_of(web, visitor, address, edited.text, edited.source_id, edits=original.source_id), texts
    )


@router.delete("/chat/messages/{message_id}")
def delete_message(message_id: int, web: Parts, visitor: Anyone, address: OwnAddress, texts: PageTexts) -> Stored:
    """Take the own last message back. Who follows the case is told that it was deleted."""
    original = own_message(web, address, message_id)
    return store(web, incoming_of(web, visitor, address, "", uuid4(), deletes=original.source_id), texts)


@router.post("/presses")
def press_button(pressed: Pressed, web: Parts, visitor: Anyone, address: OwnAddress) -> Done:
    """Press a button below a message, or `person` at any time."""
    if pressed.on is not None:
        seen_message(web, address, pressed.on)
    return press(
        web,
        Press(
            address,
            sender(visitor),
            pressed.action,
            pressed.value,
            str(pressed.source_id),
            on=str(pressed.on) if pressed.on is not None else None,
        ),
    )


@router.get("/attachments/{file_id}", response_class=Response)
def open_attachment(file_id: int, web: Parts, visitor: Anyone) -> Response:
    """A file that came with a message. 404 for whoever may not read that message."""
    with web.sessions() as session:
        file = session.get(Attachment, file_id)
        if file is None or file.content is None or not may_open(session, file, visitor):
            raise Refusal(404, "error_not_found")
        return Response(
            file.content,
            media_type="application/octet-stream",
            headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"},
        )


def may_open(session: Session, file: Attachment, visitor: Visitor) -> bool:
    """Agents open the files of tickets they see, employees those of their own thread."""
    ticket = file.message.conversation.ticket
    if ticket is not None and visitor.on_desk and may_see(visitor, ticket):
        return True
    return may_read_file(session, file, visitor.id)


def own_message(web: Web, address: Address, message_id: int) -> Message:
    """The visitor's last message, if it is this one. Raises Refusal 404 or 409."""
    with web.sessions() as session:
        bubble = next((found for found in read_thread(session, address).bubbles if found.id == message_id), None)
        if bubble is None or not bubble.own or bubble.kind != Kind.TEXT:
            raise Refusal(404, "error_not_found")
        if not bubble.changeable:
            raise Refusal(409, "error_not_last")
        return session.get_one(Message, message_id)


def seen_message(web: Web, address: Address, message_id: int) -> None:
    """Raises Refusal 404 for a message that is not in this thread."""
    with web.sessions() as session:
        if all(bubble.id != message_id for bubble in read_thread(session, address).bubbles):
            raise Refusal(404, "error_not_found")


def incoming_of(
    web: Web,
    visitor: Visitor,
    address: Address,
    text: str,
    source_id: UUID,
    files: tuple[File, ...] = (),
    **marks: Any,
) -> Incoming:
    """What somebody wrote on a page, as every channel brings it."""
    return Incoming(address, sender(visitor), text, str(source_id), web.now(), files, **marks)


def store(web: Web, incoming: Incoming, texts: Texts) -> Stored:
    """Give a message to the engine. Raises Refusal 503 when it cannot be stored."""
    try:
        message_id = web.engine.receive(incoming)
    except Exception as error:
        logger.error("a message could not be stored: %s", type(error).__name__)  # noqa: TRY400 - its text may hold words
        raise Refusal(503, "error_not_stored") from error
    web.doorbell.ring(place_key(incoming.address))
    limit = web.settings.web.upload_limit_mb
    refused = [
        Refused(name=file.name, reason=file.refused, detail=texts(f"file_{file.refused}", name=file.name, limit=limit))
        for file in incoming.files
        if file.refused
    ]
    return Stored(id=message_id, refused=refused)


def press(web: Web, pressed: Press) -> Done:
    """Give a press to the engine. Raises Refusal 503 when it cannot be stored."""
    try:
        result = web.engine.press(pressed)
    except Exception as error:
        logger.error("a press could not be stored: %s", type(error).__name__)  # noqa: TRY400 - its text may hold words
        raise Refusal(503, "error_not_stored") from error
    web.doorbell.ring()
    return Done(ok=result.ok, text=result.text)
