"""Protects everything that changes something against requests that another site makes a browser send."""

import secrets
from urllib.parse import urlsplit

from fastapi import Request

from bot.web.errors import Refusal

SAFE = {"GET", "HEAD", "OPTIONS"}
HEADER = "x-csrf-token"


def csrf_token(request: Request) -> str:
    """The token of this session, made when it is new."""
    token: str = request.session.setdefault("csrf", secrets.token_urlsafe(24))
    return token


async def protect(request: Request) -> None:
    """Refuse an unsafe request that does not come from one of our own pages. Raises Refusal 403."""
    if request.method in SAFE:
        return
    if not from_here(request) or not await has_token(request):
        raise Refusal(403, "error_csrf")


def from_here(request: Request) -> bool:
    """What the browser itself says about where the request comes from; silence is left to the token."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def has_token(request: Request) -> bool:
    """Whether the session's token came along: in the header, or as a field of a plain form."""
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        given = str((await request.form()).get("csrf", ""))
    expected = request.session.get("csrf")
    return bool(given and expected) and secrets.compare_digest(str(given).encode(), str(expected).encode())
