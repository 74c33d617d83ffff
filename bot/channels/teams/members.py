"""Who may act on tickets in Teams: the members of a hand-off team, asked at every press."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bot.channels.port import Address, TryAgain, Unclear, Unreachable
from bot.channels.teams.connector import NotDrawn, NotFound
from bot.channels.teams.post import TeamsChannel

logger = logging.getLogger(__name__)
BELIEVED = 600.0  # seconds for which a yes still counts while Teams cannot be asked
PATIENCE = 2.0  # seconds: who pressed is waiting, and Teams gives a dialog five of them in all
MOST_KEPT = 10_000
THREADS = 4
CANNOT_TELL = (TimeoutError, TryAgain, Unclear, Unreachable, NotDrawn, NotFound)


@dataclass
class Members:
    """The members of channels. Lives in one event loop; Teams is asked in threads of its own."""

    channel: TeamsChannel
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "teams-members"))
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)
    _asking: dict[tuple[str, str], asyncio.Future[bool]] = field(default_factory=dict)

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)

    async def is_member(self, channel: str, person: str) -> bool | None:
        """Whether a person is in a channel; None when Teams could not be asked in time and nothing recent is known."""
        age = self.clock() - self._seen.get((channel, person), float("-inf"))
        try:
            found = await asyncio.wait_for(asyncio.shield(self._asked(channel, person)), self.patience)
        except CANNOT_TELL as error:
            logger.warning("the members of a channel of Teams could not be had (%s)", type(error).__name__)
            return True if age <= BELIEVED else None
        self._note(channel, person, found=found)
        return found

    def someone_left(self) -> None:
        """Somebody left a team. Teams may name them by another id than we know them by: everybody is asked anew."""
        self._seen.clear()

    def _asked(self, channel: str, person: str) -> asyncio.Future[bool]:
        """The question under way, or a new one: who presses twice does not ask twice."""
        key = channel, person
        if key not in self._asking:
            asked = asyncio.get_running_loop().run_in_executor(self.threads, self._ask, channel, person)
            self._asking[key] = asked
            asked.add_done_callback(lambda done: self._answered(key, done))
        return self._asking[key]

    def _answered(self, key: tuple[str, str], done: "asyncio.Future[bool]") -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # somebody waited for it, or nobody does any more

    def _note(self, channel: str, person: str, *, found: bool) -> None:
        if len(self._seen) >= MOST_KEPT:
            self._seen.clear()
        if found:
            self._seen[channel, person] = self.clock()
        else:
            self._seen.pop((channel, person), None)

    def _ask(self, channel: str, person: str) -> bool:
        spot = self.channel.spot(Address("teams", channel))
        member = self.channel.connector.member(spot.service_url, channel, person)
        return member is not None and self.channel.settings.teams.takes_tenant(member.tenant_id)
