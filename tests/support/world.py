"""A whole Lotse for dialogues: real engine, real database, fake edges. Silence and double answers fail."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fake_embedder import HashEmbedder
from fakes import FakeChannel, FakeClock, FakeUnderstander, Post
from sentences import keys
from sqlalchemy import select

from bot.app import App, build_app
from bot.channels.port import Address, File, Incoming, Press, PressResult, Sender
from bot.settings import Settings
from handoff.models import Conversation, Message, Place, Side, Ticket, TicketEvent
from handoff.reconcile import Counts, reconcile
from kb_index.articles import ArticleDraft, publish_article, save_draft, withdraw_article
from kb_index.confidence import FEATURES, Fitted, Logistic, Thresholds, store_calibration
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
VPN = ("VPN einrichten", "Starten Sie den VPN-Client und wählen Sie das Profil Zentrale. Danach melden Sie sich an.")
VPN_QUESTION = "VPN-Client starten und Profil Zentrale wählen"
PRINTERS = (
    ("Drucker im Flur einrichten", "Wählen Sie den Drucker im Flur und bestätigen Sie den Treiber."),
    ("Drucker zu Hause einrichten", "Wählen Sie den Drucker zu Hause und bestätigen Sie das Kabel."),
)
PRINTER_QUESTION = "Drucker einrichten"  # fits both
UNKNOWN_QUESTION = "Meine Telefonanlage klingelt seit heute pausenlos."


def chat(sender: Sender) -> Address:
    """The one thread of an employee."""
    return Address(sender.platform, "chat", sender.id)


@dataclass
class World:
    """Talks to Lotse as people do, and looks at what they see."""

    build: Callable[[], App]
    channel: FakeChannel
    clock: FakeClock
    understander: FakeUnderstander
    embedder: HashEmbedder
    apps: list[App] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.apps.append(self.build())

    def close(self) -> None:
        """Stop every Lotse that was started on the database. Fails when anything was sent twice."""
        for app in self.apps:
            app.stop()
        if self.channel.repeated:
            raise AssertionError(f"sent twice: {self.channel.repeated}")

    @property
    def app(self) -> App:
        """The Lotse that runs now."""
        return self.apps[-1]

    def restart(self) -> App:
        """The process was killed (nothing is stopped or tidied up) and a new one starts on the same database."""
        self.apps.append(self.build())
        return self.app

    # --- the employee ---------------------------------------------------------------------------------------------
    def says(
        self,
        sender: Sender,
        text: str,
        *,
        files: Sequence[File] = (),
        source_id: str | None = None,
        edits: str | None = None,
        deletes: str | None = None,
    ) -> int | None:
        """An employee writes (or edits, or deletes); nothing is worked on yet."""
        name = source_id or str(uuid.uuid4())
        came = Incoming(chat(sender), sender, text, name, self.clock(), tuple(files), edits=edits, deletes=deletes)
        return self.app.engine.receive(came)

    def ask(self, sender: Sender, text: str, *, files: Sequence[File] = ()) -> Post:
        """An employee writes and gets exactly one post back."""
        self.says(sender, text, files=files)
        return self.one_answer(sender)

    def press(self, sender: Sender, action: str, value: str = "", on: str | None = None) -> Post:
        """An employee presses a button below the last post that has it, and gets exactly one post back."""
        self.press_only(sender, action, value, on)
        return self.one_answer(sender)

    def press_only(
        self, sender: Sender, action: str, value: str = "", on: str | None = None, source_id: str | None = None
    ) -> PressResult:
        """An employee presses a button; nothing is worked on yet."""
        if on is None:
            with_button = [p for p in self.posts_to(sender) if any(b.action == action for b in p.reply.buttons)]
            on = with_button[-1].key if with_button else None
        return self.app.engine.press(Press(chat(sender), sender, action, value, source_id or str(uuid.uuid4()), on=on))

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

    def passes(self, **time: float) -> None:
        """Time passes, and the worker does everything that is due then."""
        self.clock.move(**time)
        self.app.worker.work_off()

    def unsolved(self, sender: Sender, text: str = UNKNOWN_QUESTION) -> str:
        """An employee asks what nobody knows and skips the questions before the ticket; its number."""
        post = self.ask(sender, text)
        while any(button.action == "skip" for button in post.reply.buttons):
            post = self.press(sender, "skip")
        assert "receipt" in keys(post.reply.text), post.reply.text
        return self.ticket().number

    def ticket_for(self, sender: Sender, about: str = "") -> str:
        """An employee wants a person; the number of the ticket. about: the problem, told before."""
        if about:
            self.ask(sender, about)
        assert "receipt_asked_for_person" in keys(
            self.ask(sender, "Ich möchte mit einem Menschen sprechen.").reply.text
        )
        return self.ticket().number

    # --- agents ---------------------------------------------------------------------------------------------------
    def desk(self, ticket: str, channel: str = "desk") -> Address:
        return Address("web", channel, ticket)

    def agent_says(
        self,
        agent: Sender,
        ticket: str,
        text: str,
        *,
        channel: str = "desk",
        source_id: str | None = None,
        files: Sequence[File] = (),
        is_note: bool = False,
        is_reply: bool = False,
        edits: str | None = None,
        deletes: str | None = None,
    ) -> int | None:
        """An agent writes in the thread of a ticket, and it is worked off."""
        came = Incoming(
            self.desk(ticket, channel),
            agent,
            text,
            source_id or str(uuid.uuid4()),
            self.clock(),
            tuple(files),
            is_note=is_note,
            is_reply=is_reply,
            edits=edits,
            deletes=deletes,
        )
        message = self.app.engine.receive(came)
        self.app.worker.work_off()
        return message

    def agent_presses(
        self, agent: Sender, ticket: str, action: str, value: str = "", *, channel: str = "desk", **fields: str
    ) -> PressResult:
        press = Press(self.desk(ticket, channel), agent, action, value, str(uuid.uuid4()), fields=fields)
        result = self.app.engine.press(press)
        self.app.worker.work_off()
        return result

    def card(self, ticket: str) -> Post:
        """The ticket's card as the desk shows it."""
        return self.channel.at("desk", ticket)[0]

    def thread(self, ticket: str, channel: str = "desk") -> list[str]:
        """What agents read below a ticket's card."""
        return [post.reply.text for post in self.channel.at(channel, ticket)[1:]]

    # --- the record -----------------------------------------------------------------------------------------------
    def ticket(self, number: str | None = None) -> Ticket:
        """The ticket of this number, or the newest; its conversation and people are loaded."""
        with self.app.house.sessions() as session:
            chosen = select(Ticket).order_by(Ticket.id.desc()).limit(1)
            if number is not None:
                chosen = select(Ticket).where(Ticket.id == int(number.removeprefix("TKT-")) - 1000)
            ticket = session.scalars(chosen).one()
            _ = ticket.conversation, ticket.agent, ticket.requester
            return ticket

    def tickets(self) -> int:
        with self.app.house.sessions() as session:
            return len(session.scalars(select(Ticket.id)).all())

    def conversation(self, sender: Sender) -> Conversation:
        """The newest conversation of an employee."""
        with self.app.house.sessions() as session:
            at = select(Conversation).join(Place).where(Place.thread == sender.id, Place.side == Side.REQUESTER)
            return session.scalars(at.order_by(Conversation.id.desc()).limit(1)).one()

    def messages(self) -> list[Message]:
        with self.app.house.sessions() as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def outcomes(self, sender: Sender) -> list[str | None]:
        """How each of an employee's messages ended."""
        with self.app.house.sessions() as session:
            own = select(Message).join(Place, Message.place_id == Place.id)
            own = own.where(Message.to_send.is_(False), Place.thread == sender.id, Place.side == Side.REQUESTER)
            return [message.outcome for message in session.scalars(own.order_by(Message.id))]

    def events(self, number: str) -> list[str]:
        """The kinds of events in a ticket's log."""
        with self.app.house.sessions() as session:
            log = select(TicketEvent.kind).where(TicketEvent.ticket_id == int(number.removeprefix("TKT-")) - 1000)
            return list(session.scalars(log.order_by(TicketEvent.id)))

    def counts(self) -> Counts:
        with self.app.house.sessions() as session:
            return reconcile(session)

    # --- editors --------------------------------------------------------------------------------------------------
    def publish(self, title: str, body: str, language: str = "de", **more: str) -> int:
        """An editor publishes an article; its id."""
        house = self.app.house
        with house.sessions.begin() as session:
            draft = ArticleDraft(title=title, body=body, language=language, **more)  # type: ignore[arg-type]
            article_id = save_draft(session, draft, "sabine").id
        publish_article(house.sessions, house.knowledge.embedder, article_id, "sabine")
        return article_id

    def withdraw(self, article_id: int) -> None:
        withdraw_article(self.app.house.sessions, article_id, "sabine")


def build_world(database_url: str, folder: Path, *, embedder: HashEmbedder | None = None, **changes: object) -> World:
    """A Lotse on this database; changes: sections of the settings as dictionaries."""
    settings = world_settings(database_url, folder, **changes)
    channel, clock = FakeChannel(), FakeClock()
    embedder, understander = embedder or HashEmbedder(), FakeUnderstander(INTENTS)

    def build() -> App:
        edges = {"web": channel}
        return build_app(settings, embedder=embedder, understander=understander, clock=clock, channels=edges)

    world = World(build, channel, clock, understander, embedder)
    with world.app.house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
    return world


def world_settings(database_url: str, folder: Path, **changes: object) -> Settings:
    """Settings for dialogues: two queues beside the usual one, one sensitive topic."""
    sections = {
        "database": {"url": database_url},
        "knowledge": {"cache": folder / "knowledge"},
        "sensitive": {"salary": {"words": ["Gehalt*", "salary"], "queue": "people"}},
    }
    handoff = {
        "queues": {
            "service-desk": {"channel": "desk-1"},
            "people": {"channel": "desk-2"},
            "network": {"channel": "desk-3"},
        },
        "categories": {"other": "service-desk", "network": "network"},
        **changes.pop("handoff", {}),  # type: ignore[dict-item]
    }
    return Settings.model_validate({**sections, "handoff": handoff, **changes})


def by_words(language: str) -> Fitted:
    """A calibration for the hash embedder, by hand: an article answers when it holds nearly all the rare words of a
    question of some words; one of two words is too vague to be answered, but worth a question back."""
    answers, among = by_hand(-16.0, cover=12.0, length=4.0, margin=0.2), by_hand(-5.0, cover=12.0)
    thresholds = {"0.95": {"0.1": Thresholds(0.8, 0.3)}}
    fitted_at = datetime(2026, 11, 1, tzinfo=UTC)
    return Fitted("test", language, "hash", fitted_at, 1, DEFAULT_WEIGHTS, answers, among, thresholds, {})


def by_hand(constant: float, **coefficients: float) -> Logistic:
    """A logistic regression of these features alone, surely known."""
    n = len(FEATURES)
    flat = tuple(tuple(0.0 for _ in range(n + 1)) for _ in range(n + 1))
    return Logistic((0.0,) * n, (1.0,) * n, (constant, *(coefficients.get(name, 0.0) for name in FEATURES)), flat)
