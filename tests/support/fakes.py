"""Hand-written fakes for the edges of Lotse: a channel that remembers, an understander that reads plain words, a clock."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.channels.port import Address, Reply, Sent
from nlu.port import Understanding


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
class FakeChannel:
    """A platform in memory. raises: what the next sends do instead; lost: posts that arrive but whose answer is lost."""

    platform: str = "web"
    posts: list[Post] = field(default_factory=list)
    raises: list[Exception] = field(default_factory=list)
    lost: int = 0

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        if self.raises:
            raise self.raises.pop(0)
        if any(post.key == key for post in self.posts):
            raise AssertionError(f"message {key} was sent twice")
        thread = address.thread or f"thread-{key}"
        post = Post(f"p-{key}", replace(address, thread=thread), reply, key)
        self.posts.append(post)
        if self.lost:
            self.lost -= 1
            raise ConnectionError("the answer was lost on the way")
        return Sent(post.platform_id, post.address)

    def update(self, address: Address, platform_id: str, reply: Reply) -> None:
        at = next(number for number, post in enumerate(self.posts) if post.platform_id == platform_id)
        self.posts[at] = replace(self.posts[at], reply=reply)

    def find(self, address: Address, key: str) -> Sent | None:
        return next((Sent(post.platform_id, post.address) for post in self.posts if post.key == key), None)

    def at(self, channel: str, thread: str | None = None) -> list[Post]:
        """The posts of one channel or thread, oldest first."""
        return [p for p in self.posts if p.address.channel == channel and thread in (None, p.address.thread)]


class FakeUnderstander:
    """Says the intent that was taught for a text, else `ask_question`."""

    def __init__(self, intents: dict[str, str] | None = None) -> None:
        self.intents = intents or {}

    def parse(self, text: str) -> Understanding:
        return Understanding(self.intents.get(text.strip().lower(), "ask_question"), 0.9, (), "fake")
