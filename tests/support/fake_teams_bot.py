"""A tiny bot for tests of the fake Teams itself, with cards and dialogs for it."""

import asyncio
import json
from typing import Any

import httpx
from fake_teams import FakeTeams, Message
from fake_teams_state import CONNECTOR_SCOPE, GRAPH_SCOPE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE = "application/vnd.microsoft.activity.message"
ASK = {"lotse": {"action": "helped", "key": "k1", "value": "yes"}}
NOTE = {"lotse": {"action": "note", "key": "k1", "value": ""}, "msteams": {"type": "task/fetch"}}


def execute(action: str, value: str = "") -> dict[str, Any]:
    data = {"lotse": {"action": action, "key": "k1", "value": value}}
    fallback = {"type": "Action.Submit", "title": action, "data": data}
    return {"type": "Action.Execute", "title": action, "verb": action, "data": data, "fallback": fallback}


def card(*body: dict[str, Any], actions: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    told = {"type": "AdaptiveCard", "version": "1.5", "body": list(body) or [{"type": "TextBlock", "text": "Hallo"}]}
    return told | ({"actions": list(actions)} if actions else {})


def post_of(content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "message", "attachments": [{"contentType": CARD, "content": content}], **more}


def dialog_of(content: dict[str, Any], title: str = "Notiz") -> dict[str, Any]:
    return {"task": {"type": "continue", "value": {"title": title, "card": {"contentType": CARD, "content": content}}}}


NOTE_FORM = card(
    {"type": "Input.Text", "id": "text", "label": "Notiz", "isRequired": True, "errorMessage": "Bitte ausfüllen"},
    {
        "type": "Input.ChoiceSet",
        "id": "queue",
        "label": "Gruppe",
        "value": "net",
        "choices": [{"title": "Netz", "value": "net"}, {"title": "Server", "value": "srv"}],
    },
    actions=({"type": "Action.Submit", "title": "Senden", "data": {"lotse": {"form": "note"}}},),
)


class TinyBot:
    """A bot. answers: (status, body) of the next requests, else 200; took: (headers, body) of each; says: its calls."""

    def __init__(self, fake: FakeTeams) -> None:
        self.fake = fake
        self.answers: list[tuple[int, Any]] = []
        self.took: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.slow = 0.0
        self.later: list[asyncio.Task[None]] = []
        self.http = httpx.Client(base_url=fake.service_url, trust_env=False)
        self.app = Starlette(routes=[Route("/api/messages", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        self.took.append((dict(request.headers), json.loads(await request.body())))
        await asyncio.sleep(self.slow)
        status, body = self.answers.pop(0) if self.answers else (200, None)
        return Response(status_code=status) if body is None else JSONResponse(body, status)

    @property
    def activities(self) -> list[dict[str, Any]]:
        return [body for _, body in self.took]

    def token(self, scope: str = CONNECTOR_SCOPE, tenant: str = "", **changed: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": self.fake.app_id, "scope": scope}
        form |= {"client_secret": self.fake.client_secret, **changed}
        return self.http.post(f"{self.fake.login_url}/{tenant or self.fake.tenant}/oauth2/v2.0/token", data=form)

    def signs_in(self) -> "TinyBot":
        self.http.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self

    def post(self, conversation: str, body: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        path = f"v3/conversations/{conversation}/activities"
        return self.http.post(path, json=body or {"type": "message", "text": "Hallo"}, **more)

    def says(self, conversation: str, content: dict[str, Any] | None = None) -> Message:
        answer = self.post(conversation, None if content is None else post_of(content))
        assert answer.status_code == 201, answer.text
        return self.fake.said(conversation)[-1]

    def graph(self, path: str, token: str | None = None) -> httpx.Response:
        bearer = token or self.token(GRAPH_SCOPE).json()["access_token"]
        return self.http.get(f"{self.fake.graph_url}/v1.0/{path}", headers={"Authorization": f"Bearer {bearer}"})


class Hands:
    """A clock for the fake, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def code(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.json()['error']['code']}"
