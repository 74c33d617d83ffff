"""A whole Lotse in a fake Slack: real engine, database, HTTP, signatures and WebSocket; people who use it there."""

import json
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fake_embedder import HashEmbedder
from fake_slack import Actor, FakeSlack, Message, View
from fake_slack_things import Channel
from fakes import FakeClock, FakeUnderstander
from patience import eventually
from pydantic import SecretStr
from sqlalchemy import select
from world import INTENTS, VPN, by_words, world_settings

from bot.app import App, build_app
from bot.channels.slack.text import text_of
from bot.settings import Settings
from handoff.models import Place, Ticket
from handoff.reconcile import Counts, reconcile
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration

Transport = Literal["http", "socket"]
LONGEST_SETTLE = 600  # seconds of the fake clock
MERGE = 2.1
PATIENT = 20.0  # seconds Lotse waits here for the members of a channel: a busy machine is no Slack out of order


class WebServer:
    """The app's pages on a real port, for signed requests."""

    def __init__(self, app: App) -> None:
        config = uvicorn.Config(app.web, log_config=None, lifespan="off")
        self.server = uvicorn.Server(config)
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, args=(self.sockets,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        for one in self.sockets:
            one.close()


@dataclass
class SlackWorld:
    """People in Slack and the Lotse they talk to. Everything is worked off with `settle`; time is the fake clock's."""

    fake: FakeSlack
    clock: FakeClock
    transport: Transport
    database_url: str
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)
    servers: list[WebServer] = field(default_factory=list)
    understander: FakeUnderstander = field(default_factory=lambda: FakeUnderstander(INTENTS))
    patience: float = PATIENT

    def __post_init__(self) -> None:
        self.settle_in()
        self.start()

    def settle_in(self) -> None:
        """The people and their channels."""
        self.konrad = self.fake.user("Konrad Voßmann", locale="de-DE")
        self.owen = self.fake.user("Owen Tallis", locale="en-US")
        self.maren = self.fake.user("Maren Tiede", locale="de-DE")
        self.tomasz = self.fake.user("Tomasz Wilk", locale="en-US")
        self.henrik = self.fake.user("Henrik Lindqvist", locale="en-US")
        everybody = (self.konrad, self.owen, self.maren, self.tomasz, self.henrik)
        self.desk = self.fake.channel("it-desk", self.maren, self.tomasz, kind="private")
        self.network = self.fake.channel("it-network", self.maren, self.tomasz, kind="private")
        self.third = self.fake.channel("it-third", self.henrik, self.maren, kind="private")
        self.help = self.fake.channel("it-help", *everybody)
        self.general = self.fake.channel("general", *everybody)

    # --- Lotse ----------------------------------------------------------------------------------------------------
    @property
    def app(self) -> App:
        return self.apps[-1]

    def sections(self) -> dict[str, Any]:
        """config.yml, as far as it is about Slack."""
        slack = {
            "mode": self.transport,
            "bot_token_env": "LOTSE_BOT",
            "app_token_env": "LOTSE_APP",
            "signing_secret_env": "LOTSE_SIGN",
            "help_channels": [self.help.id],
            "api_base_url": self.fake.url,
        }
        queues = {
            "service-desk": {"channel": self.desk.id, "platform": "slack"},
            "network": {"channel": self.network.id, "platform": "slack"},
            "people": {"channel": "desk-2"},
        }
        third = {"channel": self.third.id, "platform": "slack"}
        public = {"public_url": "http://127.0.0.1:8080"}
        return {"slack": slack, "handoff": {"queues": queues, "third_level": third}, "web": public}

    def secrets(self) -> dict[str, str]:
        return {
            "LOTSE_BOT": self.fake.token,
            "LOTSE_APP": self.fake.app_token,
            "LOTSE_SIGN": self.fake.signing_secret,
        }

    def settings(self) -> Settings:
        sections = self.sections()
        for name, values in self.changes.items():
            sections[name] = {**sections.get(name, {}), **values}
        settings = world_settings(self.database_url, self.folder, **sections)
        settings._secrets.update({name: SecretStr(value) for name, value in self.secrets().items()})
        return settings

    def start(self) -> App:
        """Start a Lotse on the database."""
        first = not self.apps
        app = build_app(self.settings(), embedder=HashEmbedder(), understander=self.understander, clock=self.clock)
        self.apps.append(app)
        if first:
            self._bring_in(app)
        self.serve(app)
        assert app.slack is not None
        app.slack.start()
        if self.transport == "socket":
            assert self.fake.wait_for_link()
        return app

    def serve(self, app: App) -> None:
        """Slack's requests come to this Lotse."""
        self.servers.append(WebServer(app))
        self.fake.request_url = f"http://127.0.0.1:{self.servers[-1].port}/slack/events"
        assert app.slack is not None
        app.slack.edge.members.patience = self.patience

    def _bring_in(self, app: App) -> None:
        with app.house.sessions.begin() as session:
            store_calibration(session, [by_words(language) for language in ("de", "en")])
        self.publish(*VPN)

    def publish(self, title: str, body: str, language: str = "de") -> int:
        """An article that is answered from at once."""
        sessions, embedder = self.app.house.sessions, self.app.house.knowledge.embedder
        with sessions.begin() as session:
            article = save_draft(session, ArticleDraft(title=title, body=body, language=language), "sabine").id
        publish_article(sessions, embedder, article, "sabine")
        return article

    def restart(self) -> App:
        """The process ends without a last word and another one starts on the same database."""
        self._end(self.apps[-1], self.servers[-1])
        return self.start()

    def _end(self, app: App, server: WebServer) -> None:
        assert app.slack is not None
        app.slack.stop()
        server.stop()

    def close(self) -> None:
        self._end(self.apps[-1], self.servers[-1])
        for app in self.apps:
            app.worker.stop()
            app.house.sessions.close()

    def calm(self) -> None:
        """What Lotse does behind its acknowledgements is done."""
        assert self.app.slack is not None
        tasks = self.app.slack.edge.tasks
        assert eventually(lambda: not tasks, 10)

    def settle(self) -> None:
        """The merge window passes, and everything is handled and delivered, at Slack's pace."""
        self.calm()
        self.clock.move(seconds=MERGE)
        for _ in range(LONGEST_SETTLE):
            self.app.worker.work_off()
            if self.counts().settled:
                return
            self.clock.move(seconds=1.0)
        raise AssertionError(f"not everything was worked off: {self.counts()}")

    def counts(self) -> Counts:
        with self.app.house.sessions() as session:
            return reconcile(session)

    # --- what people see ------------------------------------------------------------------------------------------
    def ticket(self) -> Ticket:
        """The ticket opened last."""
        with self.app.house.sessions() as session:
            found = session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
            assert found.requester.name  # read while the session is open, as are agent and places
            assert found.agent is None or found.agent.name
            assert found.places is not None
            return found

    def tickets(self) -> int:
        with self.app.house.sessions() as session:
            return len(session.scalars(select(Ticket)).all())

    def card(self, channel: Channel | None = None) -> Message:
        """The newest card in a hand-off channel."""
        return self.roots(channel or self.desk)[-1]

    def roots(self, channel: Channel) -> list[Message]:
        """What stands in a channel outside any thread, by the app."""
        return [post for post in self.fake.said(channel) if post.thread_ts in (None, post.ts)]

    def thread(self, card: Message) -> list[Message]:
        """What the app said below a card."""
        return [post for post in self.fake.said(card.channel, card) if post.ts != card.ts]

    def answers(self, person: Actor) -> list[Message]:
        """What the app said in a person's direct messages."""
        return self.fake.said(person.im)

    def handoff_places(self) -> list[Place]:
        with self.app.house.sessions() as session:
            return list(session.scalars(select(Place).where(Place.platform == "slack", Place.ticket_id.is_not(None))))

    def form(self, person: Actor) -> View:
        """The form a person has before them."""
        self.calm()
        assert person.modal is not None
        return person.modal

    # --- short ways -----------------------------------------------------------------------------------------------
    def asks(self, person: Actor, text: str) -> Message:
        """A person writes to Lotse and everything is worked off; their message."""
        message = person.dm(text)
        self.settle()
        return message

    def wants_person(self, person: Actor | None = None) -> Message:
        """A person asks for a human; the card of the ticket."""
        self.asks(person or self.konrad, "Ich möchte mit einem Menschen sprechen.")
        return self.card()


def words(message: Message) -> str:
    """What somebody reads in a post."""
    return text_of(message.blocks) if message.blocks else message.text


def button(message: Message, action: str) -> dict[str, Any]:
    """The first button (or list) of a post with this action."""
    return next(one for one in elements(message) if str(one["action_id"]).startswith(f"lotse:{action}:"))


def elements(message: Message) -> list[dict[str, Any]]:
    return [one for block in message.blocks or () if block["type"] == "actions" for one in block["elements"]]


def actions(message: Message) -> list[str]:
    """The names of what can be pressed below a post, in order."""
    return [str(one["action_id"]).split(":")[1] for one in elements(message)]


def all_payloads(fake: FakeSlack) -> str:
    """Everything the app ever sent to Slack, as one text."""
    return json.dumps([call.payload for call in fake.calls], ensure_ascii=False, default=str)


def addressed_to(fake: FakeSlack, person: Actor) -> Sequence[Message]:
    return fake.seen_by(person)


MakeSlackWorld = Callable[..., SlackWorld]
