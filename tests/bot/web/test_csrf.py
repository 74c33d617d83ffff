"""Another site cannot make a browser change anything here."""

from typing import Any

import pytest
from visits import Visits
from world import World


def changing_calls(world: World) -> list[tuple[str, str]]:
    paths: dict[str, Any] = world.app.web.openapi()["paths"]
    described = [(method.upper(), path) for path, calls in paths.items() for method in calls if method != "get"]
    return [*described, ("POST", "/signin"), ("POST", "/signout"), ("POST", "/language"), ("POST", "/kb/preview")]


def test_nothing_changes_without_the_token(world: World, visit: Visits) -> None:
    sabine = visit("sabine")
    calls = changing_calls(world)
    assert len(calls) > 10
    for method, path in calls:
        address = path.replace("{number}", "TKT-1001").replace("{", "").replace("}", "")
        address = address.replace("article_id", "1").replace("message_id", "1").replace("question_id", "1")
        answer = sabine.http.request(method, address, json={})
        assert answer.status_code in {403, 422}, (method, path, answer.status_code)
        if answer.status_code == 422:  # a body that does not fit is seen first; with one that fits it is refused too
            assert sabine.http.request(method, address, json=fitting(path)).status_code == 403, path


def fitting(path: str) -> dict[str, Any]:
    return {
        "text": "x", "action": "person" if path.endswith("presses") else "claim", "title": "T", "body": "B",
        "language": "de", "article": 1, "person": "jette",
    } if not path.endswith("actions") else {"action": "claim"}  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": "wrong"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_request_from_elsewhere_is_refused_even_with_the_cookie(visit: Visits, headers: dict[str, str]) -> None:
    jette = visit("jette")
    answer = jette.send("POST", "/api/chat/messages", json={"text": "Hallo"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert jette.thread() == []


def test_request_of_our_own_page_passes(visit: Visits) -> None:
    headers = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert visit("jette").send("POST", "/api/chat/messages", json={"text": "Hallo"}, headers=headers).status_code == 201


def test_token_of_another_session_does_not_fit(visit: Visits) -> None:
    jette, owen = visit("jette"), visit("owen")
    jette.token = owen.token
    assert jette.post("/api/chat/messages", text="Hallo").status_code == 403


def test_form_without_the_token_does_not_sign_in(visit: Visits) -> None:
    nobody = visit(None)
    nobody.get("/signin")
    assert nobody.http.post("/signin", data={"person": "maren"}).status_code == 403
