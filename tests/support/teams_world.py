"""A whole Lotse in a fake Teams: real engine, database, tokens and HTTP; people who use it there."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_embedder import HashEmbedder
from fake_teams import Actor, Channel, Dialog, FakeTeams, Message
from fakes import FakeClock, FakeUnderstander
from patience import eventually
from pydantic import SecretStr
from sqlalchemy import select
from world import INTENTS, VPN, by_words, world_settings

from bot.app import App, build_app
from bot.settings import Settings
from handoff.models import Place, Ticket
from handoff.reconcile import Counts, reconcile
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration

LONGEST_SETTLE = 600  # seconds of the fake clock
MERGE = 2.1
PATIENT = 20.0  # seconds Lotse waits here for the members of a channel: a busy machine is no Teams out of order
PUBLIC_URL = "https://lotse.example"


@dataclass
class TeamsWorld:
    """People in Teams and the Lotse they talk to. Everything is worked off with `settle`; time is the fake clock's."""

    fake: FakeTeams
    clock: FakeClock
    database_url: str
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)
    apps: list[App] = field(default_factory=list)
    understander: FakeUnderstander = field(default_factory=lambda: FakeUnderstander(INTENTS))
    patience: float = PATIENT

    def __post_init__(self) -> None:
        self.konrad = self.fake.user("Konrad Voßmann", locale="de-DE")
        self.owen = self.fake.user("Owen Tallis", locale="en-US")
        self.maren = self.fake.user("Maren Tiede", locale="de-DE")
        self.tomasz = self.fake.user("Tomasz Wilk", locale="en-US")
        self.henrik = self.fake.user("Henrik Lindqvist", locale="en-US")
        self.it = self.fake.team("IT", self.maren, self.tomasz)
        self.desk = self.fake.channel(self.it, "Helpdesk")
        self.network = self.fake.channel(self.it, "Netzwerk")
        self.specialists = self.fake.team("Spezialisten", self.henrik, self.maren)
        self.third = self.fake.channel(self.specialists, "Third level")
        everybody = (self.konrad, self.owen, self.maren, self.tomasz, self.henrik)
        self.company = self.fake.team("Acme", *everybody)
        self.help = self.fake.channel(self.company, "IT-Hilfe")
        self.general = self.fake.channel(self.company, "Allgemeines")
        self.start()

    # --- Lotse ----------------------------------------------------------------------------------------------------
    @property
    def app(self) -> App:
        return self.apps[-1]

    def sections(self) -> dict[str, Any]:
        """config.yml, as far as it is about platforms."""
        teams = {
            "app_id": self.fake.app_id,
            "tenant_id": self.fake.tenant,
            "client_secret_env": "LOTSE_TEAMS",
            "help_channels": [self.help.id],
            "openid_metadata_url": self.fake.openid_metadata_url,
            "login_url": self.fake.login_url,
            "graph_url": self.fake.graph_url,
            "service_urls": [self.fake.service_url],
        }
        queues = {
            "service-desk": {"channel": self.desk.id, "platform": "teams"},
            "network": {"channel": self.network.id, "platform": "teams"},
            "people": {"channel": "desk-2"},
        }
        third = {"channel": self.third.id, "platform": "teams"}
        return {"teams": teams, "handoff": {"queues": queues, "third_level": third}, "web": {"public_url": PUBLIC_URL}}

    def secrets(self) -> dict[str, str]:
        return {"LOTSE_TEAMS": self.fake.client_secret}

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
        assert app.teams is not None
        app.teams.edge.members.patience = self.patience
        for edge in app.edges():
            edge.start()
        self.fake.connect(app.web)
        return app

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
        self._end(self.apps[-1])
        return self.start()

    def _end(self, app: App) -> None:
        for edge in app.edges():
            edge.stop()

    def close(self) -> None:
        self.calm()
        self._end(self.apps[-1])
        for app in self.apps:
            app.worker.stop()
            app.house.sessions.close()

    def calm(self) -> None:
        """What Lotse does behind its acknowledgements is done."""
        assert self.app.teams is not None
        tasks = self.app.teams.edge.tasks
        assert eventually(lambda: not tasks, 10)

    def settle(self) -> None:
        """The merge window passes, and everything is handled and delivered, at Teams' pace."""
        self.calm()
        self.clock.move(seconds=MERGE)
        for _ in range(LONGEST_SETTLE):
            self.app.worker.work_off()
            if self.counts().settled:
                return
            self.clock.move(seconds=0.5)
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
        return self.fake.roots(channel or self.desk)[-1]

    def thread(self, card: Message) -> list[Message]:
        """What Lotse said below a card."""
        return [post for post in self.fake.said(card.channel, card) if post.id != card.id]

    def answers(self, person: Actor) -> list[Message]:
        """What Lotse said in a person's chat with it."""
        return self.fake.said(person)

    def words(self, message: Message) -> str:
        """What somebody reads in a post."""
        return self.fake.words(message)

    def handoff_places(self) -> list[Place]:
        with self.app.house.sessions() as session:
            return list(session.scalars(select(Place).where(Place.platform == "teams", Place.ticket_id.is_not(None))))

    # --- short ways -----------------------------------------------------------------------------------------------
    def asks(self, person: Actor, text: str) -> Message:
        """A person writes to Lotse and everything is worked off; their message."""
        message = person.writes(text)
        self.settle()
        return message

    def wants_person(self, person: Actor | None = None) -> Message:
        """A person asks for a human; the card of the ticket."""
        self.asks(person or self.konrad, "Ich möchte mit einem Menschen sprechen.")
        return self.card()

    def presses(self, person: Actor, message: Message, action: str, value: str | None = None) -> None:
        """A person presses a button and everything is worked off."""
        person.presses(message, action, value)
        self.settle()

    def fills_in(self, person: Actor, message: Message, action: str, **fields: str) -> Dialog | str | None:
        """A person opens a dialog, fills it in, sends it, and everything is worked off; what comes next."""
        dialog = person.opens(message, action)
        assert isinstance(dialog, Dialog), dialog
        answer = person.submits(dialog, fields)
        self.settle()
        return answer


def actions(message: Message) -> list[str]:
    """The names of what can be pressed below a post, in order."""
    return [button.action for button in message.buttons if button.action]


def all_payloads(fake: FakeTeams) -> str:
    """Everything Lotse ever sent to Teams, as one text."""
    return json.dumps([call.body for call in fake.calls], ensure_ascii=False, default=str)


MakeTeamsWorld = Callable[..., TeamsWorld]
