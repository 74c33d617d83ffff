"""Signing in as a person of the demo, signing out, and the language of the pages."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bot.web.context import LANGUAGES, Parts
from bot.web.errors import Refusal
from bot.web.people import Visitor
from bot.web.rendering import page

router = APIRouter(include_in_schema=False)
Next = Annotated[str, Form(alias="next")]


@router.get("/signin")
def show_people(request: Request, web: Parts, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Whom a visitor can be."""
    return page(request, "signin.html", people=by_role(web.people), next=own_path(next))


@router.post("/signin")
def sign_in(request: Request, web: Parts, person: Annotated[str, Form()], target: Next = "/") -> Response:
    """Become this person. The session starts anew, so that nothing of the one before is left."""
    visitor = web.people.get(person)
    if visitor is None:
        raise Refusal(422, "error_invalid")
    language = request.session.get("language")
    request.session.clear()
    request.session["person"] = visitor.id
    if language:
        request.session["language"] = language
    return RedirectResponse(own_path(target) if own_path(target) != "/" else start_page(visitor), 303)


@router.post("/signout")
def sign_out(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse("/signin", 303)


@router.post("/language")
def choose_language(request: Request, language: Annotated[str, Form()], target: Next = "/") -> Response:
    """The language of the pages; a case keeps its own."""
    if language in LANGUAGES:
        request.session["language"] = language
    return RedirectResponse(own_path(target), 303)


def own_path(path: str) -> str:
    """A path of ours; anything that could lead elsewhere becomes the start page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def start_page(visitor: Visitor) -> str:
    return "/desk" if visitor.on_desk else "/kb" if visitor.is_editor else "/"


def by_role(people: dict[str, Visitor]) -> list[tuple[str, list[Visitor]]]:
    """Groups for the page: employees, the desk, the editors."""
    groups: dict[str, list[Visitor]] = {"employee": [], "agent": [], "third_level": [], "editor": []}
    for visitor in people.values():
        first = next((role for role in ("editor", "third_level", "agent") if role in visitor.roles), "employee")
        groups[first].append(visitor)
    return [(role, members) for role, members in groups.items() if members]
