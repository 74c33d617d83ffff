"""Reads what somebody wrote, with files, without ever holding more of a file in memory than may be kept."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from bot.attachments import plain_name, why_refused
from bot.channels.port import File
from bot.web.context import Web, get_web
from bot.web.errors import Refusal

LONGEST_TEXT = 20_000  # characters
LARGEST_JSON = 1024 * 1024  # bytes
MOST_FILES = 10


class Written(BaseModel):
    """What somebody writes. The same source_id again is the same message, so a repeat does no harm."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    text: str = Field("", description=f"The message, at most {LONGEST_TEXT} characters; may be empty with files.")
    source_id: UUID = Field(default_factory=uuid4, description="Made by the writer, once per message.")
    note: bool = Field(False, description="Desk only: an internal note, which the requester never sees.")


class WrittenWithFiles(Written):
    """The same as multipart/form-data, with up to 10 files in the field `files`."""

    files: list[bytes] = Field(default_factory=list, description="Files, each up to web.upload_limit_mb.")


async def read_written(request: Request) -> tuple[Written, tuple[File, ...]]:
    """The message of a request, JSON or multipart. Raises Refusal 422 when it is empty, too long or malformed."""
    files: tuple[File, ...] = ()
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=MOST_FILES, max_fields=20) as form:
            written = parse(dict(form))
            files = await read_files(get_web(request), form)
    else:
        written = parse(await read_json(request))
    check_text(written.text, may_be_empty=bool(files))
    return written, files


async def read_json(request: Request) -> Mapping[str, Any]:
    """The object in a body. Raises Refusal 413 for more than a message can be, 422 for anything else than an object."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > LARGEST_JSON:
            raise Refusal(413, "error_too_large")
    try:
        body = json.loads(read)
    except ValueError:
        raise Refusal(422, "error_invalid") from None
    if not isinstance(body, dict):
        raise Refusal(422, "error_invalid")
    return body


def parse(values: Mapping[str, Any]) -> Written:
    try:
        return Written.model_validate(values)
    except ValidationError as error:
        fields = sorted({str(found["loc"][0]) for found in error.errors() if found["loc"]})
        raise Refusal(422, "error_invalid_fields", fields=", ".join(fields)) from None


def check_text(text: str, *, may_be_empty: bool = False) -> None:
    """Raises Refusal 422 for a text that says nothing or is too long; the page keeps what was typed."""
    if not text.strip() and not may_be_empty:
        raise Refusal(422, "error_empty")
    if len(text) > LONGEST_TEXT:
        raise Refusal(422, "error_too_long", limit=grouped(LONGEST_TEXT), count=grouped(len(text)))


def grouped(number: int) -> str:
    """A number as both languages read it: 20 001 with narrow spaces."""
    return f"{number:,}".replace(",", "\u202f")


async def read_files(web: Web, form: FormData) -> tuple[File, ...]:
    """The files of a form; one that cannot be kept comes without its content and with the reason."""
    uploads = [part for part in form.getlist("files") if isinstance(part, UploadFile) and part.filename]
    return tuple([await read_file(web, upload) for upload in uploads])


async def read_file(web: Web, upload: UploadFile) -> File:
    name = plain_name(upload.filename or "")
    media_type = (upload.content_type or "application/octet-stream")[:120]
    refused = why_refused(name, upload.size or 0, web.upload_limit)
    if refused is not None:
        return File(name, media_type, None, refused)
    return File(name, media_type, await run_in_threadpool(upload.file.read))
