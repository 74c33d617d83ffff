"""A whole Lotse whose Rasa is killed in the middle of a conversation: nobody waits, and Rasa comes back."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_embedder import HashEmbedder
from fakes import FakeChannel
from patience import eventually
from world import JETTE, by_words, chat

from bot.app import App, build_app
from bot.channels.port import Incoming
from bot.settings import Settings
from handoff.models import Kind, Message
from kb_index.articles import ArticleDraft, publish_article, save_draft
from kb_index.confidence import store_calibration
from nlu.rasa_process import RasaProcess

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
BEFORE, DURING = "VPN-Kennwort zurücksetzen", "Etikettendrucker im Versand einrichten"
AFTER = "Kalender für andere freigeben"


@dataclass
class Chat:
    """Jette's conversation with a running Lotse."""

    app: App
    channel: FakeChannel

    def ask(self, text: str) -> Message:
        """Write, and wait for the one post that comes back."""
        before, now = len(self.channel.posts), datetime.now(UTC)
        self.app.engine.receive(Incoming(chat(JETTE), JETTE, text, str(uuid.uuid4()), now))
        assert eventually(lambda: len(self.channel.posts) > before, 30), "Lotse stays silent"
        with self.app.house.sessions() as session:
            return session.get_one(Message, int(self.channel.posts[-1].key))


@pytest.fixture
def jettes_chat(rasa_settings: dict[str, Path], tmp_path: Path) -> Iterator[Chat]:
    settings = Settings.model_validate(
        {
            "database": {"url": f"sqlite:///{tmp_path}/lotse.db"},
            "answering": {"merge_window": 0},
            "knowledge": {"cache": tmp_path / "knowledge"},
            "nlu": rasa_settings,
        }
    )
    channel = FakeChannel()
    app = build_app(settings, embedder=HashEmbedder(), channels={"web": channel})
    publish(app, BEFORE, DURING, AFTER)
    app.start()
    yield Chat(app, channel)
    app.stop()


def publish(app: App, *titles: str) -> None:
    house = app.house
    with house.sessions.begin() as session:
        store_calibration(session, [by_words(language) for language in ("de", "en")])
        ids = [save_draft(session, ArticleDraft(title, f"{title}: so geht es.", "de"), "sabine").id for title in titles]
    for article_id in ids:
        publish_article(house.sessions, house.knowledge.embedder, article_id, "sabine")


def test_an_order_for_rasa_typed_by_a_user_is_only_words(jettes_chat: Chat, note: Callable[[str, str], None]) -> None:
    app = jettes_chat.app
    assert eventually(lambda: app.health()["understanding"]["state"] == "ok")
    understood = app.house.understander.parse("/talk_to_human")
    assert understood.understander == "rasa"
    assert understood.confidence < 1.0, "Rasa took it for an order"
    reply = jettes_chat.ask('/security_incident{"urgency": "high"}')
    note("/talk_to_human typed", f"{understood.intent} with {understood.confidence:.2f}, not 1.0: read as words")
    assert reply.kind in {Kind.SAY, Kind.ASK_BACK, Kind.RECEIPT, Kind.ANSWER}


def test_rasa_killed_in_mid_conversation(jettes_chat: Chat, note: Callable[[str, str], None]) -> None:
    app, rasa = jettes_chat.app, jettes_chat.app.understanding.process
    assert rasa is not None
    assert eventually(lambda: app.health()["understanding"]["state"] == "ok")
    assert_answered(jettes_chat.ask(BEFORE), BEFORE, by="rasa")
    first = kill(rasa)

    started = time.monotonic()
    answer = jettes_chat.ask(DURING)
    note("the next message", f"answered after {time.monotonic() - started:.2f} s by the embedded understander")
    assert_answered(answer, DURING, by="embedded")
    assert not rasa.ready(), "Rasa was back before the answer: this shows nothing"
    assert app.health()["understanding"]["state"] == "degraded"
    assert app.health()["state"] == "degraded"
    note("health", f"degraded: {app.health()['understanding']['reason']}")

    assert eventually(rasa.ready)
    note("Rasa", f"started again and ready {time.monotonic() - started:.1f} s after the kill")
    assert rasa.pid != first
    assert_answered(jettes_chat.ask(AFTER), AFTER, by="rasa")
    note("the message after that", "understood by Rasa; health is ok")
    assert app.health()["understanding"] == {"understander": "rasa", "state": "ok", "reason": ""}


def kill(rasa: RasaProcess) -> int:
    """`kill -9`; the process that was killed."""
    pid = rasa.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def assert_answered(message: Message, title: str, *, by: str) -> None:
    """Answered with the article of this title, understood by this understander."""
    evidence = message.evidence or {}
    assert message.kind == Kind.ANSWER, evidence
    assert title in message.text
    assert evidence["understander"] == by
