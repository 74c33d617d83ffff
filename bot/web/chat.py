"""The employee's pages: the chat, and the parts of it that are drawn again when something changes."""

from secrets import token_hex
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.channels.port import Address
from bot.channels.web import thread_token
from bot.web.context import Anyone, OwnAddress, Parts
from bot.web.rendering import page
from bot.web.thread import own_threads, read_thread
from bot.web.uploads import LONGEST_TEXT, MOST_FILES
from handoff.desk import known_outages

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_chat(request: Request, web: Parts, visitor: Anyone, address: OwnAddress) -> Response:
    """The whole page."""
    with web.sessions() as session:
        return page(
            request,
            "chat.html",
            thread=read_thread(session, address),
            threads=own_threads(session, visitor.id),
            **where(address),
            outages=known_outages(session),
            longest_text=LONGEST_TEXT,
            most_files=MOST_FILES,
        )


@router.get("/chat/thread")
def show_thread(request: Request, web: Parts, address: OwnAddress) -> Response:
    """The messages alone."""
    with web.sessions() as session:
        return page(request, "parts/thread.html", thread=read_thread(session, address), **where(address))


@router.get("/chat/threads")
def show_threads(request: Request, web: Parts, visitor: Anyone, address: OwnAddress) -> Response:
    """The visitor's own tickets and conversations."""
    with web.sessions() as session:
        return page(request, "parts/own_threads.html", threads=own_threads(session, visitor.id), **where(address))


@router.get("/chat/outages")
def show_outages(request: Request, web: Parts, visitor: Anyone) -> Response:
    """What is known to be broken."""
    with web.sessions() as session:
        return page(request, "parts/outages.html", outages=known_outages(session))


def where(address: Address) -> dict[str, Any]:
    """How the parts of a page name the thread they belong to: `?thread=a1b2`, nothing for the first; and a new one."""
    token = thread_token(address.thread or "")
    return {"here": f"?thread={token}" if token else "", "token": token, "new_token": token_hex(4)}
