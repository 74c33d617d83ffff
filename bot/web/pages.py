"""Puts the pages, the API and their protection together."""

from typing import Any

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from bot.channels.web import Doorbell
from bot.db import Sessions
from bot.session_secret import session_secret
from bot.settings import Settings
from bot.web import api, chat, desk, events, knowledge, operations, shared_files, signin
from bot.web.context import Health, Receives, Web
from bot.web.csrf import protect
from bot.web.errors import add_error_pages
from bot.web.operations import RecordCollector
from bot.web.people import load_people
from bot.web.rendering import STATIC
from bot.web.security import SecurityHeaders, allowed_hosts, require_loopback
from bot.web.uploads import LARGEST_JSON
from kb_index.search import KnowledgeBase

SESSION_SECONDS = 12 * 60 * 60


def make_web(
    settings: Settings,
    sessions: Sessions,
    engine: Receives,
    knowledge_base: KnowledgeBase,
    health: Health,
    doorbell: Doorbell,
) -> FastAPI:
    """The web application. health() gives each part with its `state`; a failed one keeps `/readyz` at 503.

    Raises SignInMissing when the pages would be open to other machines.
    """
    require_loopback(settings)
    app = FastAPI(
        title="Lotse",
        description=api.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(protect)],
        max_body_size=LARGEST_JSON,
    )
    people = load_people(settings.web.people) if settings.web.sign_in == "demo" else {}
    registry = CollectorRegistry()
    app.state.web = Web(settings, sessions, engine, knowledge_base, health, doorbell, people, registry)
    RecordCollector(sessions, health, registry, app.state.web.now())
    for room in (operations, signin, events, api, chat, desk, knowledge, shared_files):
        app.include_router(room.router)
    app.mount("/static", CachedFiles(directory=STATIC), name="static")
    add_error_pages(app)
    protect_app(app, settings)
    return app


def protect_app(app: FastAPI, settings: Settings) -> None:
    """What every request passes; the last one added comes first."""
    secure = (settings.web.public_url or "").startswith("https://")
    app.add_middleware(
        SessionMiddleware,
        secret_key=session_secret(settings),
        session_cookie="lotse",
        max_age=SESSION_SECONDS,
        https_only=secure,
    )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(settings), www_redirect=False)


class CachedFiles(StaticFiles):
    """Static files; their addresses change with their content, so browsers may keep them."""

    def file_response(self, *args: Any, **options: Any) -> Any:
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
