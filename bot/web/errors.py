"""What people see when something is refused or fails: a sentence in their language, never a stack trace."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from bot.texts import Texts

BY_STATUS = {
    400: "error_bad_request",
    401: "error_signed_out",
    403: "error_not_yours",
    404: "error_not_found",
    405: "error_bad_request",
    409: "error_conflict",
    413: "error_too_large",
    422: "error_invalid",
    500: "error_failed",
    503: "error_not_stored",
}


class Refusal(Exception):  # noqa: N818 - it is an answer, not a defect
    """The request is refused; key is a sentence of the catalogue `pages`, values fill it."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.values = values


def add_error_pages(app: FastAPI) -> None:
    """Every failure of the app becomes a page, or JSON for the API and for page fragments."""
    app.add_exception_handler(Refusal, show_refusal)
    app.add_exception_handler(HTTPException, show_http_error)
    app.add_exception_handler(RequestValidationError, show_invalid)
    app.add_exception_handler(Exception, show_failure)


async def show_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for it
    if error.status == 401 and not wants_json(request):
        return RedirectResponse(f"/signin?next={request.url.path}", 303)
    return show(request, error.status, error.key, error.values)


async def show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    return show(request, error.status_code, BY_STATUS.get(error.status_code, "error_bad_request"), {})


async def show_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    fields = sorted({".".join(str(part) for part in found["loc"][1:]) or "body" for found in error.errors()})
    return show(request, 422, "error_invalid_fields", {"fields": ", ".join(fields)})


async def show_failure(request: Request, error: Exception) -> Response:
    return show(request, 500, "error_failed", {})


def show(request: Request, status: int, key: str, values: dict[str, Any]) -> Response:
    """The sentence as JSON `{"detail", "code"}` or as a page."""
    from bot.web.context import get_texts  # noqa: PLC0415 - context raises our Refusal
    from bot.web.rendering import page  # noqa: PLC0415

    texts: Texts = get_texts(request)
    sentence = texts(key, **values)
    if wants_json(request):
        return JSONResponse({"detail": sentence, "code": key.removeprefix("error_")}, status)
    return page(request, "error.html", status_code=status, status=status, sentence=sentence)


def wants_json(request: Request) -> bool:
    """Whether a program asks: the API, a page fragment, a stream of events."""
    path = request.url.path
    return path.startswith(("/api", "/events")) or "hx-request" in request.headers
