"""Who may do what: every role against every door."""

from collections.abc import Iterable

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select
from visits import Visits
from world import World

from bot.file_links import FileLinks
from bot.session_secret import session_secret
from handoff.models import Attachment
from kb_index.articles import ArticleDraft, save_draft
from kb_index.learning import learn_question
from kb_index.models import Origin
from kb_index.questions import note_unanswered

NOBODY, EMPLOYEE, AGENT, THIRD, EDITOR = None, "jette", "maren", "henrik", "sabine"

PAGES = {
    "/": (303, 200, 200, 200, 200),
    "/chat/thread": (303, 200, 200, 200, 200),
    "/desk": (303, 403, 200, 200, 200),
    "/desk/{number}": (303, 403, 200, 404, 200),
    "/desk/{number}/thread": (303, 403, 200, 404, 200),
    "/desk/{number}/facts": (303, 403, 200, 404, 200),
    "/desk/{number}/suggestions": (303, 403, 200, 404, 200),
    "/kb": (303, 200, 200, 200, 200),
    "/kb/articles/{article}": (303, 200, 200, 200, 200),
    "/kb/articles/{agents_article}": (303, 404, 200, 200, 200),
    "/kb/articles/{draft}": (303, 404, 404, 404, 200),
    "/kb/articles/{article}/edit": (303, 403, 403, 403, 200),
    "/kb/articles/new": (303, 403, 403, 403, 200),
    "/kb/articles/{article}/past-questions": (303, 403, 403, 403, 200),
    "/kb/questions": (303, 403, 403, 403, 200),
    "/docs": (303, 200, 200, 200, 200),
    "/files/{link}": (200, 200, 200, 200, 200),
    "/files/{file}": (404, 404, 404, 404, 404),
    "/api/me": (401, 200, 200, 200, 200),
    "/api/health": (401, 200, 200, 200, 200),
    "/api/chat/messages": (401, 200, 200, 200, 200),
    "/api/tickets": (401, 403, 200, 200, 200),
    "/api/tickets/own": (401, 200, 200, 200, 200),
    "/api/tickets/own/{number}": (401, 404, 404, 404, 404),
    "/api/tickets/{number}": (401, 403, 200, 404, 200),
    "/api/tickets/{number}/transcript": (401, 403, 200, 404, 200),
    "/api/attachments/{file}": (401, 404, 200, 404, 200),
    "/api/articles": (401, 200, 200, 200, 200),
    "/api/articles/{agents_article}": (401, 404, 200, 200, 200),
    "/api/articles/{draft}": (401, 404, 404, 404, 200),
    "/api/articles/{article}/past-questions": (401, 403, 403, 403, 200),
    "/api/questions": (401, 403, 403, 403, 200),
}
CHANGES = {
    ("POST", "/api/tickets/{number}/actions", '{"action": "claim"}'): (401, 403, 200, 403, 200),
    ("POST", "/api/tickets/{number}/messages", '{"text": "x", "note": true}'): (401, 403, 201, 404, 201),
    ("POST", "/api/articles", '{"title": "T", "body": "B", "language": "de"}'): (401, 403, 403, 403, 201),
    ("PUT", "/api/articles/{article}", '{"title": "T", "body": "B", "language": "de"}'): (401, 403, 403, 403, 200),
    ("POST", "/api/articles/{draft}/publish", ""): (401, 403, 403, 403, 200),
    ("DELETE", "/api/articles/{article}/past-questions/{past}", ""): (401, 403, 403, 403, 200),
    ("POST", "/api/articles/{article}/past-questions/{past}/restore", ""): (401, 403, 403, 403, 200),
    ("POST", "/api/articles/{article}/withdraw", ""): (401, 403, 403, 403, 200),
    ("POST", "/api/questions/{question}/dismiss", ""): (401, 403, 403, 403, 200),
    ("POST", "/api/questions/{question}/answer", '{"article": {article}}'): (401, 403, 403, 403, 200),
    ("POST", "/kb/preview", ""): (303, 403, 403, 403, 200),
}
COLUMNS = (NOBODY, EMPLOYEE, AGENT, THIRD, EDITOR)


@pytest.fixture
def things(world: World, visit: Visits) -> dict[str, object]:
    """Owen's ticket with a file, an article for everyone, one for agents, a draft, an open question."""
    owen = visit("owen")
    number = owen.wants_person()
    owen.send("POST", "/api/chat/messages", data={"text": "The label"}, files={"files": ("label.txt", b"E-77")})
    world.settle()
    file = next(f["id"] for message in owen.thread() for f in message["files"])
    with world.app.house.sessions.begin() as session:
        draft = save_draft(session, ArticleDraft("Entwurf", "Noch nicht fertig", "de"), "sabine").id
        question = note_unanswered(session, "Wer gießt die Blumen?", "de", "unknown", number).id
    article = world.publish("Für alle", "Text für alle")
    with world.app.house.sessions.begin() as session:
        past = learn_question(session, article, "Wer liest das?", "de", Origin.HELPED)
    assert past is not None
    return {
        "past": past.id,
        "number": number,
        "file": file,
        "link": FileLinks(session_secret(world.app.settings)).path(file).removeprefix("/files/"),
        "question": question,
        "draft": draft,
        "article": article,
        "agents_article": world.publish("Für Agenten", "Text nur für den Service Desk", audience="agents"),
    }


def filled(template: str, things: dict[str, object]) -> str:
    for name, value in things.items():
        template = template.replace("{" + name + "}", str(value))
    return template


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=[str(person) for person in COLUMNS])
def test_reading(column: int, visit: Visits, things: dict[str, object]) -> None:
    browser = visit(COLUMNS[column])
    found = {path: browser.get(filled(path, things)).status_code for path in PAGES}
    assert found == {path: statuses[column] for path, statuses in PAGES.items()}


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=[str(person) for person in COLUMNS])
def test_changing(column: int, visit: Visits, things: dict[str, object]) -> None:
    browser = visit(COLUMNS[column])
    browser.token = browser.token or browser.form_token("/signin")
    found = {}
    for method, path, body in CHANGES:
        headers = {"content-type": "application/json" if body else "application/x-www-form-urlencoded"}
        answer = browser.send(method, filled(path, things), content=filled(body, things), headers=headers)
        found[(method, path, body)] = answer.status_code
    assert found == {change: statuses[column] for change, statuses in CHANGES.items()}


def test_no_door_is_missing_from_these_tables(world: World) -> None:
    """A new route must say here who may use it, or be known to be open or everybody's own."""
    known = {path.split("?")[0] for path in PAGES} | {path for _, path, _ in CHANGES}
    known |= {"/healthz", "/readyz", "/metrics", "/signin", "/signout", "/language"}
    known |= {"/chat/threads", "/chat/outages", "/api/presses", "/api/chat/messages/{message_id}"}
    known |= {"/events/chat", "/events/desk", "/events/tickets/{number}"}
    names = {"{file_id}": "{file}", "{article_id}": "{article}", "{question_id}": "{question}", "{past_id}": "{past}"}
    names |= {"{token}": "{link}"}
    for path in paths_of(world):
        for there, here in names.items():
            path = path.replace(there, here)  # noqa: PLW2901
        variants = {path, path.replace("{article}", "{draft}")}
        assert variants & known, f"{path} is in no table"


def paths_of(world: World) -> set[str]:
    """Every path: the API's as its description tells them, those of pages from the routers that are part of the app."""

    def pages(routes: Iterable[object]) -> set[str]:
        found: set[str] = set()
        for route in routes:
            if isinstance(route, APIRoute):
                found |= set() if route.include_in_schema else {route.path}
            else:
                router = getattr(route, "original_router", route)
                found |= pages(getattr(router, "routes", None) or ())
        return found

    paths = pages(world.app.web.routes) | set(world.app.web.openapi()["paths"])
    assert {"/desk/{number}", "/files/{token}", "/api/tickets/{number}", "/events/desk", "/signin"} <= paths
    return paths


def test_employee_reads_the_own_ticket_and_file(visit: Visits, things: dict[str, object]) -> None:
    owen = visit("owen")
    assert owen.get(filled("/api/tickets/own/{number}", things)).json()["number"] == things["number"]
    assert owen.get(filled("/api/attachments/{file}", things)).content == b"E-77"
    assert "reason" not in owen.get("/api/tickets/own").json()[0]


def test_file_of_a_note_is_not_for_the_requester(world: World, visit: Visits, things: dict[str, object]) -> None:
    maren, owen = visit("maren"), visit("owen")
    path = filled("/api/tickets/{number}/messages", things)
    maren.send("POST", path, data={"text": "Log", "note": "true"}, files={"files": ("log.txt", b"internal")})
    maren.send("POST", path, data={"text": "For you", "note": "false"}, files={"files": ("fix.txt", b"do this")})
    world.settle()
    with world.app.house.sessions() as session:
        files = {file.name: file.id for file in session.scalars(select(Attachment))}
    assert owen.get(f"/api/attachments/{files['log.txt']}").status_code == 404
    assert owen.get(f"/api/attachments/{files['fix.txt']}").content == b"do this"


def test_streams_are_refused_before_they_begin(visit: Visits, things: dict[str, object]) -> None:
    ticket = filled("/events/tickets/{number}", things)
    found = [
        (visit(None).get("/events/chat").status_code, visit(None).get(ticket).status_code),
        (visit("jette").get("/events/desk").status_code, visit("jette").get(ticket).status_code),
        (visit("maren").get("/events/tickets/TKT-9999").status_code, visit("henrik").get(ticket).status_code),
    ]
    assert found == [(401, 401), (403, 403), (404, 404)]
