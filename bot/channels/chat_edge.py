"""What the edges of all chat platforms share: storing before the acknowledgement, asking after it, who agents are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from bot.channels.lists import texts_of
from bot.channels.port import Incoming, Press, PressResult
from bot.engine import Engine
from bot.house import House
from bot.texts import Texts

logger = logging.getLogger(__name__)
T = TypeVar("T")
STORING_THREADS, ASKING_THREADS = 8, 8


@dataclass
class ChatEdge:
    """The edge of a platform. What is stored and what is asked run in threads of their own: a platform that is slow to
    answer must never keep a message from being stored and acknowledged."""

    platform: ClassVar[str]

    house: House
    engine: Engine
    tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    storing: ThreadPoolExecutor = field(init=False)
    asking: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.storing = ThreadPoolExecutor(STORING_THREADS, f"{self.platform}-store")
        self.asking = ThreadPoolExecutor(ASKING_THREADS, f"{self.platform}-ask")

    def close(self) -> None:
        self.storing.shutdown(wait=False, cancel_futures=True)
        self.asking.shutdown(wait=False, cancel_futures=True)

    # --- the engine -----------------------------------------------------------------------------------------------
    async def receive(self, incoming: Incoming) -> int | None:
        """Store a message. Raises what the engine raises: the platform then gets an error and repeats."""
        return await self.store(lambda: self.engine.receive(incoming))

    async def press(self, press: Press) -> PressResult:
        return await self.store(lambda: self.engine.press(press))

    async def store(self, work: Callable[[], T]) -> T:
        """Run what reads or writes the record only."""
        return await asyncio.get_running_loop().run_in_executor(self.storing, work)

    async def ask(self, work: Callable[[], T]) -> T:
        """Run what asks the platform or a model."""
        return await asyncio.get_running_loop().run_in_executor(self.asking, work)

    def afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that the platform's acknowledgement does not wait for."""
        task = asyncio.create_task(self._guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Whatever goes wrong behind an acknowledgement is written down by its kind; nobody waits for it."""
        try:
            await work
        except Exception as error:
            if not self.explain(error):
                logger.exception("something for %s failed", self.platform)

    def explain(self, error: Exception) -> bool:
        """Write down what the platform refused, or that it could not be reached; False for a fault of ours."""
        return False

    # --- where and who --------------------------------------------------------------------------------------------
    def team_rooms(self) -> tuple[str, ...]:
        """The channels where agents and the third level work."""
        handoff = self.house.settings.handoff
        rooms = (*handoff.queues.values(), handoff.third_level)
        return tuple(dict.fromkeys(room.channel for room in rooms if room.platform == self.platform))

    async def texts(self, person: str) -> Texts:
        """The platform's sentences in a person's language."""
        return await self.store(lambda: texts_of(self.house, self.platform, person))
