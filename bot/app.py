"""The one place where the parts meet: `build_app` joins them, tests use it too, with fakes at the edges."""

import logging
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from sqlalchemy import text

from bot import demo as demo_content
from bot.channels.console import ConsoleChannel, Terminal
from bot.channels.port import Channel
from bot.channels.slack.listeners import SlackEdge
from bot.channels.slack.post import SlackChannel
from bot.channels.slack.workspaces import open_workspaces
from bot.channels.web import Doorbell, WebChannel
from bot.db import Sessions, open_database, upgrade
from bot.delivery import Delivery
from bot.engine import Engine
from bot.file_links import FileLinks
from bot.house import House, utc_now
from bot.session_secret import session_secret
from bot.settings import Settings
from bot.understanding import Understanding, set_up_understanding
from bot.web import make_web
from bot.worker import Worker
from kb_index.confidence import seed_calibration
from kb_index.embedder import load_embedder
from kb_index.port import Embedder
from kb_index.search import KnowledgeBase
from nlu.port import Understander

if TYPE_CHECKING:
    from bot.channels.teams.listeners import TeamsEdge

logger = logging.getLogger(__name__)
LAST_WORDS_SECONDS = 3


@dataclass
class App:
    """A whole Lotse, not yet started."""

    settings: Settings
    house: House
    engine: Engine
    delivery: Delivery
    worker: Worker
    channels: Mapping[str, Channel]
    understanding: Understanding
    doorbell: Doorbell
    slack: SlackEdge | None = None
    teams: "TeamsEdge | None" = None
    web: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        house = self.house
        self.web = make_web(self.settings, house.sessions, self.engine, house.knowledge, self.health, self.doorbell)
        for edge in self.edges():
            self.web.router.routes[:0] = edge.routes()

    def edges(self) -> "list[SlackEdge | TeamsEdge]":
        """The platforms that employees and agents come from, beside our own pages."""
        return [edge for edge in (self.slack, self.teams) if edge is not None]

    def start(self) -> None:
        """Start the worker, and Rasa in the background; messages are handled from here on."""
        self.house.knowledge.warm_up()
        self.understanding.start()
        self.worker.start()
        for edge in self.edges():
            edge.start()

    def stop(self) -> None:
        """Finish what is being handled, then end every part. What is left waits in the database."""
        self.doorbell.close()
        if self.slack is not None:
            self.slack.stop()
        self.worker.stop()
        if self.teams is not None:
            self.teams.stop()  # after the worker, which may be posting there
        self.understanding.stop()
        self.house.sessions.close()

    def health(self) -> dict[str, Any]:
        """How each part is: `state` is `ok`, or `degraded` when Lotse works with a weaker part, or `failed`."""
        database = self._database_health()
        parts = {
            "database": database,
            "worker": {"state": "ok" if self.worker.is_alive() else "failed"},
            "understanding": self.understanding.health(),
            "knowledge": knowledge_health(self.house.knowledge) if database["state"] == "ok" else database,
        }
        if self.slack is not None:
            parts["slack"] = self.slack.health()
        if self.teams is not None:
            parts["teams"] = self.teams.health()
        states = {part["state"] for part in parts.values()}
        worst = "failed" if "failed" in states else "degraded" if "degraded" in states else "ok"
        return {"state": worst, **parts}

    def _database_health(self) -> dict[str, Any]:
        try:
            with self.house.sessions() as session:
                session.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return {"state": "failed", "reason": type(error).__name__}
        return {"state": "ok", "kind": self.house.sessions.engine.dialect.name}

    def serve(self) -> None:
        """Serve the pages until Ctrl-C or SIGTERM."""
        # uvicorn raises the signal it was ended by once more; by default that would end us before we have stopped.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        web = self.settings.web
        config = uvicorn.Config(
            self.web,
            host=web.host,
            port=web.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=LAST_WORDS_SECONDS,
        )
        require_free(web.host, web.port)
        sockets = [config.bind_socket()]
        self.start()
        try:
            self._say_where(sockets[0].getsockname()[1])
            server = ClosingServer(config, self.doorbell.close)
            server.run(sockets)
        finally:
            self.stop()

    def _say_where(self, port: int) -> None:
        address = f"http://{self.settings.web.host}:{port}"
        understanding = self.understanding.health()
        out = Console(highlight=False, soft_wrap=True)
        out.print("\n[bold]Lotse is ready.[/] Ctrl-C ends it.\n")
        for path, what in (
            ("/", "ask, as an employee"),
            ("/desk", "the hand-off channel, for agents"),
            ("/kb", "articles and unanswered questions, for editors"),
            ("/docs", "the HTTP API"),
            ("/readyz", "health"),
        ):
            out.print(f"  {address}{path:<8} {what}")
        out.print(f"\nUnderstanding: {understanding['understander']}. {understanding['reason']}")
        if self.slack is not None:
            mode = self.settings.slack.mode
            out.print(f"Slack: {mode}. `lotse doctor slack` says whether everything is right there.")
        if self.teams is not None:
            out.print(f"Teams: {self.teams.where()}")
        out.print()

    def chat(self) -> None:
        """Talk to Lotse in the terminal."""
        self.start()
        try:
            console = self.channels["console"]
            if isinstance(console, ConsoleChannel):
                Terminal(self.engine, console).talk()
        finally:
            self.stop()


class ClosingServer(uvicorn.Server):
    """Sends listening pages home first: a server-sent event stream would never end by itself."""

    def __init__(self, config: uvicorn.Config, before: Callable[[], None]) -> None:
        super().__init__(config)
        self.before = before

    async def shutdown(self, sockets: Any = None) -> None:
        self.before()
        await super().shutdown(sockets)


def build_app(
    settings: Settings,
    *,
    demo: bool = False,
    embedder: Embedder | None = None,
    understander: Understander | None = None,
    clock: Callable[[], datetime] = utc_now,
    channels: Mapping[str, Channel] | None = None,
) -> App:
    """Join the parts; nothing is started. demo: bring the demo's articles and past cases in first.

    embedder, understander, clock and channels are given by tests; the real ones come from the settings.
    Raises what the parts raise: a database that cannot be opened, a model that is not the one it should be.
    """
    upgrade(settings.database_url())
    sessions = open_database(settings.database_url())
    embedder = embedder or load_embedder(
        settings.knowledge.model, settings.knowledge.cache, settings.knowledge.embedder
    )
    with sessions.begin() as session:
        seed_calibration(session)
    if demo:
        demo_content.bring_in(settings, sessions, embedder)
    risk = (settings.answering.max_wrong, settings.answering.assurance)
    knowledge = KnowledgeBase(sessions, embedder, settings.knowledge.cache, *risk)
    understanding = set_up_understanding(settings, understander)
    doorbell = Doorbell()
    ways: dict[str, Channel] = dict(channels or {"web": WebChannel(doorbell), "console": ConsoleChannel()})
    slack = slack_channel(settings, sessions)
    if slack is not None:
        ways["slack"] = slack
    house = House(settings, sessions, knowledge, understanding.understander, clock, channels=ways)
    engine, delivery = Engine(house), Delivery(house)
    edge = SlackEdge(house, engine, slack.workspaces, slack) if slack is not None else None
    teams = teams_edge(house, engine, ways) if settings.teams.is_on else None
    worker = Worker(house, engine, delivery)
    return App(settings, house, engine, delivery, worker, ways, understanding, doorbell, edge, teams)


def slack_channel(settings: Settings, sessions: Sessions) -> SlackChannel | None:
    """The way to Slack, when the settings name one."""
    if settings.slack.mode is None:
        return None
    limit = settings.web.upload_limit_mb * 1024 * 1024
    return SlackChannel(open_workspaces(settings, sessions), settings.web.public_url, limit)


def teams_edge(house: House, engine: Engine, ways: dict[str, Channel]) -> "TeamsEdge":
    """The way to Teams and from it."""
    from bot.channels.teams.connector import Connector  # noqa: PLC0415 - its SDK takes most of a second to load
    from bot.channels.teams.listeners import TeamsEdge  # noqa: PLC0415
    from bot.channels.teams.post import TeamsChannel  # noqa: PLC0415

    links = FileLinks(session_secret(house.settings))
    channel = TeamsChannel(house.settings, house.sessions, Connector(house.settings), links)
    ways[channel.platform] = channel
    return TeamsEdge(house, engine, channel)


def require_free(host: str, port: int) -> None:
    """Raises OSError with the cure where something listens at this address already; uvicorn would only exit."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise OSError(f"{host}:{port} cannot be used ({error.strerror}); choose another with --port 8081") from error


def knowledge_health(knowledge: KnowledgeBase) -> dict[str, Any]:
    """What the knowledge base says of itself, and whether it can answer at all."""
    status = knowledge.status()
    return {"state": "ok" if status["articles"] else "degraded", **status}
