"""A whole Lotse to measure: real engine, worker, model, and Rasa where its environment is; posts land in memory."""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bot.app import App, build_app
from bot.channels.port import Address, Channel, Incoming, Parts, Press, Reply, Sender, Sent
from bot.config_file import read_config
from bot.logs import set_up_logging
from bot.settings import Settings
from bot.understanding import Understanding, set_up_understanding
from handoff.models import Message
from kb_index.port import Embedder
from nlu.understander import ResilientUnderstander

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "var" / "benchmarks"
LONGEST_START = 300.0  # seconds until Rasa answers, with training
LONGEST_ANSWER = 60.0


@dataclass(frozen=True)
class Post:
    """What an employee sees. at: `time.perf_counter()` when the channel had it."""

    message_id: int
    reply: Reply
    at: float

    def has(self, action: str) -> bool:
        """Whether it has a button that does this."""
        return any(button.action == action for button in self.reply.buttons)


class MemoryChannel(Channel):
    """Implements Channel: a queue of posts for each thread."""

    platform = "web"

    def __init__(self) -> None:
        self.threads: defaultdict[str, SimpleQueue[Post]] = defaultdict(SimpleQueue)

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        self.threads[f"{address.channel}/{address.thread}"].put(Post(int(key), reply, time.perf_counter()))
        return Sent(f"post-{key}", address)

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        return ()  # nobody looks at a changed card here

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        return self.send(address, reply, key)


@dataclass
class Stack:
    """An App and the employees who write to it."""

    app: App
    channel: MemoryChannel = field(default_factory=MemoryChannel)

    def say(self, person: Sender, text: str) -> int:
        """An employee writes in the own thread; the id of the message."""
        now = datetime.now(UTC)
        message = self.app.engine.receive(Incoming(chat_of(person), person, text, str(uuid.uuid4()), now))
        assert message is not None
        return message

    def press(self, person: Sender, post: Post, action: str) -> None:
        """The same employee presses a button below a post."""
        self.app.engine.press(Press(chat_of(person), person, action, "", str(uuid.uuid4()), on=str(post.message_id)))

    def next_post(self, person: Sender) -> Post:
        """The next post in the employee's thread. Raises TimeoutError when Lotse stays silent."""
        try:
            return self.channel.threads[f"chat/{person.id}"].get(timeout=LONGEST_ANSWER)
        except Empty:
            raise TimeoutError(f"Lotse said nothing for {LONGEST_ANSWER:.0f} s") from None

    def message(self, message_id: int) -> Message:
        with self.app.house.sessions() as session:
            return session.get_one(Message, message_id)


def chat_of(person: Sender) -> Address:
    return Address("web", "chat", person.id)


def settings_for(database_url: str, folder: Path, **sections: dict[str, Any]) -> Settings:
    """The config.yml that ships, with data in this folder and the checkout's Rasa; sections change single settings."""
    values = read_config(ROOT / "config.yml").values
    changes = {
        "database": {"url": database_url},
        "knowledge": {"cache": folder / "knowledge"},
        "nlu": {"environment": ROOT / ".venv-rasa", "models": ROOT / "var" / "nlu"},
        **sections,
    }
    return Settings.model_validate(values | {name: values[name] | change for name, change in changes.items()})


@contextmanager
def running_understanding(settings: Settings) -> Iterator[Understanding]:
    """Rasa, trained and answering; the embedded understander where there is no Rasa."""
    set_up_logging(settings.log.model_copy(update={"level": "ERROR"}))
    understanding = set_up_understanding(settings)
    understanding.start()
    try:
        wait_for_rasa(understanding)
        yield understanding
    finally:
        understanding.stop()


def wait_for_rasa(understanding: Understanding) -> None:
    deadline = time.monotonic() + LONGEST_START
    while understanding.process is not None and understanding.health()["state"] != "ok":
        if time.monotonic() > deadline:
            raise TimeoutError(f"Rasa did not answer within {LONGEST_START:.0f} s: {understanding.health()['reason']}")
        time.sleep(0.2)


def understander_of(understanding: Understanding) -> str:
    """`rasa`, or `embedded` with the reason."""
    health = understanding.health()
    return health["understander"] + (f" ({health['reason']})" if health["reason"] else "")


@contextmanager
def running_stack(
    settings: Settings, embedder: Embedder, understanding: Understanding, *, demo: bool = False
) -> Iterator[Stack]:
    """A started Lotse that shares model and Rasa with others."""
    channel = MemoryChannel()
    understander = understanding.understander
    assert isinstance(understander, ResilientUnderstander)
    app = build_app(settings, demo=demo, embedder=embedder, understander=understander, channels={"web": channel})
    app.house.knowledge.warm_up()
    app.worker.start()
    try:
        yield Stack(app, channel)
    finally:
        app.worker.stop()
        app.house.sessions.close()
