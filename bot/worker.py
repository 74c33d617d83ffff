"""The worker: takes a conversation with something to do, handles and delivers it, and takes the next."""

import logging
import os
import threading
import uuid
from datetime import datetime

from bot.delivery import Delivery
from bot.engine import Engine
from bot.house import House
from handoff.leases import Lease, LeaseLost, has_work, release_lease, renew_lease, take_lease
from kb_index.past_questions import embed_waiting_questions

logger = logging.getLogger(__name__)
TICK_SECONDS = 0.5  # how long due times and the work of other processes may go unseen


class Worker:
    """Threads that work off the message table. Any number of processes can each run one."""

    def __init__(self, house: House, engine: Engine, delivery: Delivery) -> None:
        self.house = house
        self.engine = engine
        self.delivery = delivery
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.last_round: datetime | None = None

    def start(self) -> None:
        """Start the threads; what was learned just before the last stop is taken in first."""
        self.take_in_learned()
        for number in range(self.house.settings.worker.threads):
            thread = threading.Thread(target=self._run, name=f"worker-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Let each thread finish the conversation it holds, then end it."""
        self._stopping.set()
        self.house.bell.ring()
        for thread in self._threads:
            thread.join(timeout=self.house.settings.worker.lease_seconds)
        self._threads.clear()

    def is_alive(self) -> bool:
        """Whether every thread runs."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def work_off(self) -> int:
        """Do everything that is due now, in the calling thread; how many conversations were worked on. For tests."""
        owner, rounds = owner_name(), 0
        while self._work_once(owner):
            rounds += 1
        return rounds

    def _run(self) -> None:
        owner = owner_name()
        while not self._stopping.is_set():
            seen = self.house.bell.rung
            try:
                worked = self._work_once(owner)
            except Exception:
                # The database may be away; nothing is lost, the rows wait.
                logger.exception("a round of the worker failed")
                worked = False
                self._stopping.wait(1.0)
            self.last_round = self.house.clock()
            if not worked:
                self.house.bell.wait(seen, TICK_SECONDS)

    def _work_once(self, owner: str) -> bool:
        """One conversation, held by a lease while it is worked on; False when there is none."""
        seconds = self.house.settings.worker.lease_seconds
        with self.house.sessions() as session:
            if not has_work(session, self.house.clock()):
                return False
        with self.house.sessions.begin() as session:
            lease = take_lease(session, owner, self.house.clock(), seconds)
        if lease is None:
            return False
        try:
            with KeptLease(self.house, lease):
                self.engine.handle(lease)
                self.delivery.deliver_pending(lease)
        except LeaseLost:
            logger.warning("conversation %s: the lease was lost to another worker", lease.conversation_id)
        self.take_in_learned()
        return True

    def take_in_learned(self) -> None:
        """What a case taught is used from the next question on; no lease is held and no transaction open meanwhile."""
        try:
            embed_waiting_questions(self.house.sessions, self.house.knowledge.embedder)
        except Exception:
            # It waits in the database: the next conversation, or the next start, takes it in.
            logger.exception("what was learned could not be taken in")


class KeptLease:
    """Renews a lease while the work lasts, and lets go of it at the end."""

    def __init__(self, house: House, lease: Lease) -> None:
        self.house = house
        self.lease = lease
        self._done = threading.Event()
        self._keeper = threading.Timer(self._third(), self._keep)
        self._keeper.daemon = True

    def __enter__(self) -> "KeptLease":
        self._keeper.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._keeper.cancel()
        with self.house.sessions.begin() as session:
            release_lease(session, self.lease)

    def _third(self) -> float:
        return self.house.settings.worker.lease_seconds / 3

    def _keep(self) -> None:
        """First after a third of the lease, then at each further third, until the work is done or the lease lost."""
        while not self._done.is_set():
            try:
                if not self._renew():
                    return
            except Exception:
                # The database may be away for a moment; a lease that runs out meanwhile is noticed by its holder.
                logger.exception("conversation %s: the lease could not be renewed", self.lease.conversation_id)
            self._done.wait(self._third())

    def _renew(self) -> bool:
        seconds = self.house.settings.worker.lease_seconds
        with self.house.sessions.begin() as session:
            return renew_lease(session, self.lease, self.house.clock(), seconds)


def owner_name() -> str:
    """A name no other worker thread has."""
    return f"{os.getpid()}-{threading.get_ident()}-{uuid.uuid4().hex[:8]}"
