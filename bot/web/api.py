"""The HTTP API under `/api`: what the pages use for every change. Described at `/openapi.json`."""

from typing import Any

from fastapi import APIRouter, Request

from bot.web import api_articles, api_messages, api_tickets
from bot.web.api_models import Me, me_of
from bot.web.context import Anyone, Parts, page_language
from bot.web.csrf import csrf_token
from bot.web.uploads import LONGEST_TEXT

DESCRIPTION = """
Sign in on `/signin` first; the session is a cookie. Everything that changes something needs the header
`X-CSRF-Token` with the token from `GET /api/me`. Errors are `{"detail": sentence, "code": word}`; the sentence
is in the language of the person.
"""
router = APIRouter(prefix="/api")
router.include_router(api_messages.router)
router.include_router(api_tickets.router)
router.include_router(api_articles.router)


@router.get("/me", tags=["you"], responses=api_messages.PROBLEMS)
def get_me(request: Request, web: Parts, visitor: Anyone) -> Me:
    """Who is signed in, and the token for changes."""
    limit = web.settings.web.upload_limit_mb
    return me_of(visitor, page_language(request), csrf_token(request), limit, LONGEST_TEXT)


@router.get("/health", tags=["operations"], responses=api_messages.PROBLEMS)
def get_health(web: Parts, visitor: Anyone) -> dict[str, Any]:
    """The state of the parts of Lotse, as `/readyz` judges it."""
    return web.health()
