"""The web pages as a channel: the pages read the record themselves, so delivering is ringing their bell."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from bot.channels.port import Address, Channel, Parts, Reply, Sent

EVERYTHING = "*"
DESK = "desk"
CHAT = "chat"
THREAD_MARK = ":"


class Bell:
    """One page's ear at the doorbell; lives in the page's event loop."""

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys | {EVERYTHING}
        self.loop = asyncio.get_running_loop()
        self.rung = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Return when one of the keys was rung (true), or after this many seconds (false)."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.rung.wait(), seconds)
        rang = self.rung.is_set()
        self.rung.clear()
        return rang


class Doorbell:
    """Rung from any thread when something changed; pages that listen look at once instead of every few seconds."""

    def __init__(self) -> None:
        self.closed = False
        self._lock = threading.Lock()
        self._bells: set[Bell] = set()

    def ring(self, *keys: str) -> None:
        """Wake the pages that listen to one of these keys; without a key, all of them."""
        wanted = set(keys) or {EVERYTHING}
        with self._lock:
            woken = [bell for bell in self._bells if bell.keys & wanted or EVERYTHING in wanted]
        for bell in woken:
            with suppress(RuntimeError):  # its loop has ended in the meantime
                bell.loop.call_soon_threadsafe(bell.rung.set)

    @contextmanager
    def listen(self, *keys: str) -> Iterator[Bell]:
        """Hear these keys while the block lasts. Must run inside an event loop."""
        bell = Bell(frozenset(keys))
        with self._lock:
            self._bells.add(bell)
        try:
            yield bell
        finally:
            with self._lock:
                self._bells.discard(bell)

    def close(self) -> None:
        """Send every listening page home, so that the server can stop."""
        self.closed = True
        self.ring()


def chat_address(person_id: str, token: str = "") -> Address:
    """One of an employee's threads: without a token the first. Each is a place of its own, named after its owner."""
    return Address("web", CHAT, f"{person_id}{THREAD_MARK}{token}" if token else person_id)


def is_own_thread(name: str, person_id: str) -> bool:
    """Whether a thread of the chat belongs to this person."""
    return name.partition(THREAD_MARK)[0] == person_id


def thread_token(name: str) -> str:
    """What stands in the page's address for a thread; empty for the first one."""
    return name.partition(THREAD_MARK)[2]


def place_key(address: Address) -> str:
    """The key of one place: `chat/jette`, `desk/TKT-1042`."""
    return f"{address.channel}/{address.thread or ''}"


class WebChannel(Channel):
    """Implements Channel. A post is delivered when its row says so: sending twice shows it once."""

    platform = "web"

    def __init__(self, doorbell: Doorbell) -> None:
        self.doorbell = doorbell

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        self._ring(address)
        return Sent(post_id(key), address)

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        self._ring(address)
        return ()

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        return self.send(address, reply, key)

    def working(self, address: Address) -> None:
        self._ring(address)

    def _ring(self, address: Address) -> None:
        self.doorbell.ring(place_key(address), *(() if address.channel == CHAT else (DESK,)))


def post_id(key: str) -> str:
    """The web's own id of a post; told apart from the ids that pages give to what people write."""
    return f"post-{key}"
