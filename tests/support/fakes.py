"""Hand-written fakes for the edges of Lotse: a channel that remembers, an understander taught by hand, a clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.channels.port import Address, Channel, Parts, Reply, Sent
from nlu.port import Entity, Understanding


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(frozen=True)
class Post:
    """One post at a platform."""

    platform_id: str
    address: Address
    reply: Reply
    key: str


@dataclass
class FakeChannel(Channel):
    """A platform in memory.

    repeated: keys that were sent twice; a world that has any fails when it closes, as people would see it twice.
    raises: what the next calls of send and update do instead. broken: threads where every call raises. lost: posts
    that arrive but whose answer is lost on the way. updates: how often a post was replaced. on_send: called when a
    post has arrived.
    """

    platform: str = "web"
    posts: list[Post] = field(default_factory=list)
    raises: list[Exception] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    lost: int = 0
    on_send: Callable[[], None] | None = None
    tries: int = 0
    updates: int = 0

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        self._may_fail(address)
        if any(post.key == key for post in self.posts):
            self.repeated.append(key)
        thread = address.thread or f"thread-{key}"
        post = Post(f"p-{key}", replace(address, thread=thread), reply, key)
        self.posts.append(post)
        if self.on_send is not None:
            self.on_send()
        if self.lost:
            self.lost -= 1
            raise ConnectionError("the answer was lost on the way")
        return Sent(post.platform_id, post.address)

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        self._may_fail(address)
        at = next(number for number, post in enumerate(self.posts) if post.platform_id == platform_id)
        self.posts[at] = replace(self.posts[at], reply=reply)
        self.updates += 1
        return ()

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        found = next((Sent(post.platform_id, post.address) for post in self.posts if post.key == key), None)
        return found or self.send(address, reply, key)

    def at(self, channel: str, thread: str | None = None) -> list[Post]:
        """The posts of one channel or thread, oldest first."""
        return [p for p in self.posts if p.address.channel == channel and thread in (None, p.address.thread)]

    def _may_fail(self, address: Address) -> None:
        self.tries += 1
        if address.thread in self.broken:
            raise self.broken[address.thread]
        if self.raises:
            raise self.raises.pop(0)


class FakeUnderstander:
    """Says the intent that was taught for a text, else `ask_question`. away: what it raises instead of answering."""

    def __init__(self, intents: Mapping[str, str] | None = None) -> None:
        self.intents = dict(intents or {})
        self.entities: dict[str, tuple[Entity, ...]] = {}
        self.asked: list[str] = []
        self.away: Exception | None = None

    def teach(self, text: str, intent: str, *entities: Entity) -> None:
        """What to say about a text from now on."""
        self.intents[text.lower()] = intent
        self.entities[text.lower()] = entities

    def parse(self, text: str) -> Understanding:
        self.asked.append(text)
        if self.away is not None:
            raise self.away
        plain = text.strip().lower()
        return Understanding(self.intents.get(plain, "ask_question"), 0.9, self.entities.get(plain, ()), "fake")
