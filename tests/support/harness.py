"""What a channel's tests need to reach people on it: a port, and the harnesses for web and terminal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from fake_embedder import HashEmbedder
from fakes import FakeClock, FakeUnderstander
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from world import INTENTS, VPN, by_words, world_settings

from bot.app import App, build_app
from bot.channels.console import HERE, ConsoleChannel
from bot.channels.port import Incoming, Press, Sender
from handoff.models import Ticket
from handoff.reconcile import reconcile
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration


@dataclass(frozen=True)
class Seen:
    """One thing that a person sees: buttons by their action with the value they carry."""

    text: str
    author: str | None = None
    buttons: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Harness(Protocol):
    """People on a channel. Everything is worked off before somebody looks."""

    app: App

    def employee_writes(self, text: str, *, source_id: UUID | None = None, settle: bool = True) -> None:
        """The same source_id is the same event, brought again."""
        ...

    def employee_presses(self, action: str, value: str = "") -> None:
        """The newest button with this action."""
        ...

    def employee_sees(self) -> list[Seen]:
        """What Lotse and agents said to the employee, oldest first; without the employee's own words."""
        ...

    def agent_writes(self, ticket: str, text: str, *, agent: str = "maren", note: bool = False) -> None: ...

    def agent_presses(self, ticket: str, action: str, *, agent: str = "maren", **fields: str) -> tuple[bool, str]:
        """Whether it was done, and what the agent is told."""
        ...

    def desk_sees(self, ticket: str) -> str:
        """All that an agent sees of a ticket, as one text."""
        ...

    def desk_markup(self, ticket: str) -> str:
        """The same as its platform reads it, with markup."""
        ...


def real_app(database_url: str, folder: Path) -> tuple[App, FakeClock]:
    """A Lotse with its real channels; only models and clock are fakes."""
    clock = FakeClock()
    settings = world_settings(database_url, folder)
    app = build_app(settings, embedder=HashEmbedder(), understander=FakeUnderstander(INTENTS), clock=clock)
    with app.house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
        article = save_draft(session, ArticleDraft(title=VPN[0], body=VPN[1], language="de"), "sabine").id
    publish_article(app.house.sessions, app.house.knowledge.embedder, article, "sabine")
    return app, clock


@dataclass
class WebDesk:
    """The agents' side: the web desk over HTTP."""

    app: App
    clock: FakeClock
    browsers: dict[str, tuple[TestClient, str]] = field(default_factory=dict)
    base_url: str = "http://localhost"

    def agent_writes(self, ticket: str, text: str, *, agent: str = "maren", note: bool = False) -> None:
        self.send(agent, f"/api/tickets/{ticket}/messages", {"text": text, "note": note})
        self.settle()

    def agent_presses(self, ticket: str, action: str, *, agent: str = "maren", **fields: str) -> tuple[bool, str]:
        done = self.send(agent, f"/api/tickets/{ticket}/actions", {"action": action, **fields})
        self.settle()
        return done["ok"], done["text"] or ""

    def desk_sees(self, ticket: str) -> str:
        return self.browser("maren")[0].get(f"/desk/{ticket}").text

    def desk_markup(self, ticket: str) -> str:
        return self.desk_sees(ticket)

    def browser(self, person: str) -> tuple[TestClient, str]:
        """A signed-in browser, and its token for changes."""
        if person not in self.browsers:
            http = TestClient(self.app.web, base_url=self.base_url, follow_redirects=False)
            found = re.search(r'name="csrf" value="([^"]+)"', http.get("/signin").text)
            assert found is not None
            assert http.post("/signin", data={"person": person, "csrf": found.group(1)}).status_code == 303
            self.browsers[person] = http, http.get("/api/me").json()["csrf_token"]
        return self.browsers[person]

    def send(self, person: str, path: str, json: dict[str, Any]) -> dict[str, Any]:
        http, token = self.browser(person)
        answer = http.post(path, json=json, headers={"x-csrf-token": token})
        assert answer.is_success, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def settle(self) -> None:
        self.clock.move(seconds=2.1)
        self.app.worker.work_off()

    def close(self) -> None:
        for http, _ in self.browsers.values():
            http.close()
        self.app.stop()


class WebHarness(WebDesk):
    """Employee and agents on the web pages' API."""

    def employee_writes(self, text: str, *, source_id: UUID | None = None, settle: bool = True) -> None:
        self.send("konrad", "/api/chat/messages", {"text": text, "source_id": str(source_id or uuid4())})
        if settle:
            self.settle()

    def employee_presses(self, action: str, value: str = "") -> None:
        on = next(message["id"] for message in reversed(self.thread()) if has_button(message, action))
        self.send("konrad", "/api/presses", {"action": action, "value": value, "on": on})
        self.settle()

    def employee_sees(self) -> list[Seen]:
        return [seen_on_web(message) for message in self.thread() if not message["own"]]

    def thread(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.browser("konrad")[0].get("/api/chat/messages").json()["messages"]
        return messages


def has_button(message: dict[str, Any], action: str) -> bool:
    return any(button["action"] == action for button in message["buttons"])


def seen_on_web(message: dict[str, Any]) -> Seen:
    return Seen(
        message["text"],
        message["author"],
        tuple((button["action"], button["value"]) for button in message["buttons"]),
        tuple(link["url"] for link in message["links"]),
        tuple(file["name"] for file in message["files"]),
    )


class ConsoleHarness(WebDesk):
    """The employee in the terminal, the agents on the web desk: two platforms, no special case."""

    me = Sender("console", "konrad", "Konrad Voßmann", "de", "sie")

    def __init__(self, app: App, clock: FakeClock) -> None:
        super().__init__(app, clock)
        console = app.channels["console"]
        assert isinstance(console, ConsoleChannel)
        self.console = console
        self.seen: list[tuple[str, Seen]] = []

    def employee_writes(self, text: str, *, source_id: UUID | None = None, settle: bool = True) -> None:
        self.app.engine.receive(Incoming(HERE, self.me, text, str(source_id or uuid4()), self.clock()))
        if settle:
            self.settle()

    def employee_presses(self, action: str, value: str = "") -> None:
        self.employee_sees()
        key = next(key for key, seen in reversed(self.seen) if action in dict(seen.buttons))
        assert self.app.engine.press(Press(HERE, self.me, action, value, str(uuid4()), on=key)).ok
        self.settle()

    def employee_sees(self) -> list[Seen]:
        while not self.console.said.empty():
            key, reply = self.console.said.get()
            buttons = tuple((button.action, button.value) for button in reply.buttons)
            links, files = tuple(link.url for link in reply.links), tuple(file.name for file in reply.files)
            self.seen.append((key, Seen(reply.text, reply.author, buttons, links, files)))
        return [seen for _, seen in self.seen]


def newest_ticket(app: App) -> str:
    """The number of the ticket opened last."""
    with app.house.sessions() as session:
        return session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one().number


def tickets(app: App) -> int:
    with app.house.sessions() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


def is_settled(app: App) -> bool:
    """Whether everything was handled and delivered."""
    with app.house.sessions() as session:
        return reconcile(session).settled


def texts(seen: Sequence[Seen]) -> list[str]:
    return [one.text for one in seen]
