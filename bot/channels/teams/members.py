"""Who may act on tickets in Teams: the members of a hand-off team, asked at every press."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.channels.port import Address, TryAgain, Unclear, Unreachable
from bot.channels.teams.connector import NotDrawn, NotFound
from bot.channels.teams.post import TeamsChannel

logger = logging.getLogger(__name__)
FRESH = 60.0  # seconds for which a yes is taken as it is; a no is always asked again
BELIEVED = 600.0  # seconds for which a yes still counts while Teams cannot be asked
PATIENCE = 4.0  # seconds: who pressed is waiting
MOST_KEPT = 10_000
CANNOT_TELL = (TimeoutError, TryAgain, Unclear, Unreachable, NotDrawn, NotFound)


@dataclass
class Members:
    """The members of channels. Lives in one event loop; ask runs a blocking question in a thread."""

    channel: TeamsChannel
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)

    async def is_member(self, channel: str, person: str) -> bool | None:
        """Whether a person is in a channel; None when Teams could not be asked in time and nothing recent is known."""
        age = self.clock() - self._seen.get((channel, person), float("-inf"))
        if age <= FRESH:
            return True
        try:
            found = await asyncio.wait_for(asyncio.to_thread(self._ask, channel, person), self.patience)
        except CANNOT_TELL as error:
            logger.warning("the members of a channel of Teams could not be had (%s)", type(error).__name__)
            return True if age <= BELIEVED else None
        self._note(channel, person, found=found)
        return found

    def left(self, person: str) -> None:
        """Somebody left a team; which of our channels are in it is asked anew."""
        for known in [known for known in self._seen if known[1] == person]:
            del self._seen[known]

    def _note(self, channel: str, person: str, *, found: bool) -> None:
        if len(self._seen) >= MOST_KEPT:
            self._seen.clear()
        if found:
            self._seen[channel, person] = self.clock()
        else:
            self._seen.pop((channel, person), None)

    def _ask(self, channel: str, person: str) -> bool:
        spot = self.channel.spot(Address("teams", channel))
        return self.channel.connector.member(spot.service_url, channel, person) is not None
