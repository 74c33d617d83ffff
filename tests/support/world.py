"""A whole Lotse for dialogues: real engine, real database, fake edges. Silence and double answers fail."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fake_embedder import HashEmbedder
from fakes import FakeChannel, FakeClock, FakeUnderstander, Post
from sqlalchemy import select

from bot.app import App, build_app
from bot.channels.port import Address, File, Incoming, Press, PressResult, Sender
from bot.settings import Settings
from handoff.models import Message, Ticket
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import Fitted, Logistic, Thresholds, store_calibration
from kb_index.fusion import DEFAULT_WEIGHTS

KONRAD = Sender("web", "konrad", "Konrad Voßmann", "de", "sie")
JETTE = Sender("web", "jette", "Jette Brandes", "de", "du")
OWEN = Sender("web", "owen", "Owen Tallis", "en")
MAREN = Sender("web", "maren", "Maren Tiede", "de", "du")
TOMASZ = Sender("web", "tomasz", "Tomasz Wilk", "en")
HENRIK = Sender("web", "henrik", "Henrik Lindqvist", "en")
INTENTS = {
    "hallo": "greet",
    "hello": "greet",
    "danke": "thanks",
    "status?": "ticket_status",
    "abbrechen": "cancel",
    "bitte ein ticket": "create_ticket",
    "das hat geholfen": "helpful",
    "das hat nicht geholfen": "not_helpful",
    "ja": "affirm",
    "nein": "deny",
    "der ganze zweite stock ist offline": "report_outage",
    "ich habe auf einen phishing-link geklickt": "security_incident",
    "wie wird das wetter morgen in kiel?": "out_of_scope",
}


def chat(sender: Sender) -> Address:
    """The one thread of an employee."""
    return Address("web", "chat", sender.id)


@dataclass
class World:
    """Talks to Lotse as people do, and looks at what they see."""

    app: App
    channel: FakeChannel
    clock: FakeClock
    seen: dict[str, int] = field(default_factory=dict)

    # --- the employee ---------------------------------------------------------------------------------------------
    def says(
        self, sender: Sender, text: str, *, files: Sequence[File] = (), source_id: str | None = None
    ) -> int | None:
        """An employee writes; nothing is worked on yet."""
        came = Incoming(chat(sender), sender, text, source_id or str(uuid.uuid4()), self.clock(), tuple(files))
        return self.app.engine.receive(came)

    def ask(self, sender: Sender, text: str, **more: Sequence[File]) -> Post:
        """An employee writes and gets exactly one post back."""
        self.says(sender, text, files=more.get("files", ()))
        return self.one_answer(sender)

    def press(self, sender: Sender, action: str, value: str = "") -> Post:
        """An employee presses a button below the last post that has it, and gets exactly one post back."""
        self.press_only(sender, action, value)
        return self.one_answer(sender)

    def press_only(self, sender: Sender, action: str, value: str = "", on: str | None = None) -> PressResult:
        if on is None:
            with_button = [p for p in self.posts_to(sender) if any(b.action == action for b in p.reply.buttons)]
            on = with_button[-1].key if with_button else None
        return self.app.engine.press(Press(chat(sender), sender, action, value, str(uuid.uuid4()), on=on))

    def one_answer(self, sender: Sender) -> Post:
        new = self.new_answers(sender)
        if len(new) != 1:
            raise AssertionError(f"expected one answer, got {len(new)}: {[post.reply.text for post in new]}")
        return new[0]

    def new_answers(self, sender: Sender) -> list[Post]:
        """Everything is worked off; what the employee has not seen before."""
        self.settle()
        posts = self.posts_to(sender)
        before = self.seen.get(sender.id, 0)
        self.seen[sender.id] = len(posts)
        return posts[before:]

    def posts_to(self, sender: Sender) -> list[Post]:
        return self.channel.at("chat", sender.id)

    def settle(self) -> None:
        """The merge window passes, and the worker does everything that is due."""
        self.clock.move(seconds=self.app.settings.answering.merge_window + 0.1)
        self.app.worker.work_off()

    # --- agents ---------------------------------------------------------------------------------------------------
    def desk(self, ticket: str, channel: str = "desk") -> Address:
        return Address("web", channel, ticket)

    def agent_says(self, agent: Sender, ticket: str, text: str, *, channel: str = "desk", **more: bool) -> int | None:
        """An agent writes in the thread of a ticket."""
        came = Incoming(self.desk(ticket, channel), agent, text, str(uuid.uuid4()), self.clock(), **more)  # type: ignore[arg-type]
        message = self.app.engine.receive(came)
        self.app.worker.work_off()
        return message

    def agent_presses(self, agent: Sender, ticket: str, action: str, value: str = "", **fields: str) -> PressResult:
        press = Press(self.desk(ticket), agent, action, value, str(uuid.uuid4()), fields=fields)
        result = self.app.engine.press(press)
        self.app.worker.work_off()
        return result

    def card(self, ticket: str) -> str:
        """The ticket's card as the desk shows it."""
        return self.channel.at("desk", ticket)[0].reply.text

    # --- the record -----------------------------------------------------------------------------------------------
    def ticket(self, number: str | None = None) -> Ticket:
        """The ticket of this number, or the newest."""
        with self.app.house.sessions() as session:
            chosen = select(Ticket).order_by(Ticket.id.desc()).limit(1)
            if number is not None:
                chosen = select(Ticket).where(Ticket.id == int(number.removeprefix("TKT-")) - 1000)
            return session.scalars(chosen).one()

    def tickets(self) -> int:
        with self.app.house.sessions() as session:
            return len(session.scalars(select(Ticket.id)).all())

    def messages(self) -> list[Message]:
        with self.app.house.sessions() as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def publish(self, title: str, body: str, language: str = "de", **more: str) -> int:
        """An editor publishes an article; its id."""
        house = self.app.house
        with house.sessions.begin() as session:
            draft = ArticleDraft(title=title, body=body, language=language, **more)  # type: ignore[arg-type]
            article_id = save_draft(session, draft, "sabine").id
        publish_article(house.sessions, house.knowledge.embedder, article_id, "sabine")
        return article_id


def build_world(database_url: str, folder: Path, **changes: object) -> World:
    """A Lotse on this database; changes: sections of the settings as dictionaries."""
    sections = {
        "database": {"url": database_url},
        "knowledge": {"cache": folder / "knowledge"},
        "sensitive": {"salary": {"words": ["Gehalt*", "salary"], "queue": "people"}},
        "handoff": {
            "queues": {
                "service-desk": {"channel": "desk"},
                "people": {"channel": "desk"},
                "network": {"channel": "desk"},
            },
            "categories": {"other": "service-desk", "network": "network"},
        },
    }
    settings = Settings.model_validate({**sections, **changes})
    channel, clock = FakeChannel(), FakeClock()
    embedder, understander = HashEmbedder(), FakeUnderstander(INTENTS)
    app = build_app(settings, embedder=embedder, understander=understander, clock=clock, channels={"web": channel})
    with app.house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
    return World(app, channel, clock)


def by_words(language: str) -> Fitted:
    """A calibration for the hash embedder, by hand: what counts is the share of the question's rare words."""
    flat = tuple(tuple(0.0 for _ in range(9)) for _ in range(9))
    sure = Logistic((0.0,) * 8, (1.0,) * 8, (-6.0, 0.0, 12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), flat)
    thresholds = {"0.1": Thresholds(0.8, 0.3)}
    fitted_at = datetime(2026, 11, 1, tzinfo=UTC)
    return Fitted("test", language, "hash", fitted_at, 1, DEFAULT_WEIGHTS, sure, sure, thresholds, {})
