"""What every page and every call of the API shares: the parts of the house, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol

from fastapi import Depends, Query, Request
from prometheus_client import CollectorRegistry

from bot.channels.port import Address, Incoming, Press, PressResult, Sender
from bot.channels.web import Doorbell, chat_address
from bot.db import Sessions
from bot.settings import Settings
from bot.texts import Texts
from bot.web.errors import Refusal
from bot.web.people import Visitor
from kb_index.search import KnowledgeBase

LANGUAGES = ("de", "en")
Health = Callable[[], dict[str, Any]]


class Receives(Protocol):
    """The engine, as the pages see it."""

    def receive(self, incoming: Incoming) -> int | None: ...

    def press(self, press: Press) -> PressResult: ...


@dataclass(frozen=True)
class Web:
    """The parts that the pages are made of."""

    settings: Settings
    sessions: Sessions
    engine: Receives
    knowledge: KnowledgeBase
    health: Health
    doorbell: Doorbell
    people: dict[str, Visitor]
    registry: CollectorRegistry

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def upload_limit(self) -> int:
        """Bytes one file may have."""
        return self.settings.web.upload_limit_mb * 1024 * 1024


def get_web(request: Request) -> Web:
    web: Web = request.app.state.web
    return web


def signed_in(request: Request) -> Visitor | None:
    """Who has signed in, or None; a person who is no longer on the list is signed out."""
    return get_web(request).people.get(request.session.get("person", ""))


def get_visitor(request: Request) -> Visitor:
    """Who asks. Raises Refusal 401."""
    visitor = signed_in(request)
    if visitor is None:
        raise Refusal(401, "error_signed_out")
    return visitor


def page_language(request: Request) -> str:
    """The language of the pages: chosen, else the person's, else the browser's, else the house's."""
    chosen = request.session.get("language")
    visitor = signed_in(request)
    for language in (chosen, visitor and visitor.language, *accepted(request.headers.get("accept-language", ""))):
        if language in LANGUAGES:
            return str(language)
    return get_web(request).settings.language.default


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, in the order they are written."""
    return [part.split(";")[0].strip()[:2].lower() for part in header.split(",")]


def get_texts(request: Request) -> Texts:
    """The sentences of the pages in the language and form of address of who asks."""
    visitor = signed_in(request)
    address = (visitor and visitor.address) or get_web(request).settings.language.address
    return Texts(page_language(request), address, "pages")


def needs(*roles: str) -> Callable[[Visitor], Visitor]:
    """A dependency that lets pass whoever has one of the roles. Raises Refusal 403."""

    def check(visitor: Annotated[Visitor, Depends(get_visitor)]) -> Visitor:
        if not visitor.roles & set(roles):
            raise Refusal(403, "error_not_yours")
        return visitor

    return check


def sender(visitor: Visitor) -> Sender:
    """The visitor as the engine knows people."""
    return Sender("web", visitor.id, visitor.name, visitor.language, visitor.address)


Parts = Annotated[Web, Depends(get_web)]
Anyone = Annotated[Visitor, Depends(get_visitor)]


def own_address(
    visitor: Anyone,
    thread: Annotated[
        str, Query(pattern="^[a-z0-9]{0,16}$", description="One of the own threads; without it the first.")
    ] = "",
) -> Address:
    """The employee's thread that is meant. Each is a place of its own, named after its owner."""
    return chat_address(visitor.id, thread)


OwnAddress = Annotated[Address, Depends(own_address)]
OnDesk = Annotated[Visitor, Depends(needs("agent", "third_level"))]
Editor = Annotated[Visitor, Depends(needs("editor"))]
PageTexts = Annotated[Texts, Depends(get_texts)]
