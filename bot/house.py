"""The parts every room of the bot shares."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.channels.port import Channels
from bot.db import Sessions
from bot.replies import Moment
from bot.settings import Settings
from bot.texts import Texts
from handoff.models import Conversation, Person
from kb_index.search import KnowledgeBase
from nlu.port import Understander


def utc_now() -> datetime:
    return datetime.now(UTC)


class WakeBell:
    """Tells waiting workers of this process that there is something to do."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.rung = 0

    def ring(self) -> None:
        with self._condition:
            self.rung += 1
            self._condition.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Wait until it rang after `seen`, or for this long."""
        with self._condition:
            if self.rung == seen:
                self._condition.wait(seconds)


@dataclass(frozen=True)
class House:
    """Settings, database, knowledge, understanding and the ways to people; the clock can be replaced in tests."""

    settings: Settings
    sessions: Sessions
    knowledge: KnowledgeBase
    understander: Understander
    clock: Callable[[], datetime] = utc_now
    bell: WakeBell = field(default_factory=WakeBell)
    channels: Channels = field(default_factory=dict)

    def moment(self) -> Moment:
        """Now, as replies need it."""
        return Moment(self.clock(), self.settings.service.timezone)

    def texts_for(self, conversation: Conversation) -> Texts:
        """The case's one language, and the requester's form of address."""
        language = conversation.language or conversation.requester.language or self.settings.language.default
        return Texts(language, conversation.requester.address or self.settings.language.address)

    def texts_of(self, person: Person) -> Texts:
        """The language in which one person is told something."""
        settings = self.settings
        return Texts(person.language or settings.handoff.language, person.address or settings.language.address)

    def handoff_texts(self) -> Texts:
        """The language of the hand-off channel."""
        return Texts(self.settings.handoff.language, self.settings.language.address)

    def first_response_due(self, priority: int) -> datetime:
        """When a person reacts to a new ticket of this priority, in service time."""
        service = self.settings.service
        return service.service_hours().add(self.clock(), service.first_response(priority))

    def merge_window(self) -> timedelta:
        """How long a burst of short messages is waited for."""
        return timedelta(seconds=self.settings.answering.merge_window)

    def reopen_until(self) -> datetime:
        return self.clock() + timedelta(days=self.settings.handoff.reopen_days)
