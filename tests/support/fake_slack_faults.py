"""What goes wrong at the fake Slack: errors, lost answers, delays, rate limits, and the pace of a channel."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise


class RateLimited(Exception):  # noqa: N818
    """Too many; retry_after in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Failure:
    """An answer instead of the real one. status 0: the connection ends without one; error: with `ok: false`."""

    status: int
    error: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What happens to one call: instead of its effect (before), or after it took place."""

    delay: float = 0.0
    before: Failure | None = None
    after: Failure | None = None


@dataclass
class _Plan:
    method: str
    left: int
    failure: Failure
    late: bool


@dataclass
class Pace:
    """At most a post a `seconds` in one channel, `burst` more at once. None: no limit, the gaps are still noted."""

    clock: Callable[[], float]
    seconds: float | None = None
    burst: int = 0
    _due: dict[str, float] = field(default_factory=dict)
    _posts: dict[str, list[float]] = field(default_factory=dict)

    def take(self, channel: str) -> None:
        """Note a post. Raises RateLimited with the missing time, rounded up; such a post does not count."""
        now = self.clock()
        if self.seconds is not None:
            due = self._due.get(channel, now)
            missing = due - self.burst * self.seconds - now
            if missing > 1e-6:
                raise RateLimited(math.ceil(missing - 1e-6))
            self._due[channel] = max(now, due) + self.seconds
        self._posts.setdefault(channel, []).append(now)

    def shortest_gap(self, channel: str) -> float:
        """Seconds; infinite with fewer than two posts."""
        posts = self._posts.get(channel, [])
        return min((later - earlier for earlier, later in pairwise(posts)), default=math.inf)


class Faults:
    """The plans for what goes wrong; method "*" means every method."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._delays: dict[str, float] = {}
        self._limit: tuple[int, int, str] | None = None
        self._flaky: tuple[float, random.Random, str] | None = None
        self._counted = 0

    def plan(self, method: str, n: int, failure: Failure, *, late: bool) -> None:
        self._plans.append(_Plan(method, n, failure, late))

    def delay(self, method: str, seconds: float) -> None:
        self._delays[method] = seconds

    def delay_of(self, method: str) -> float:
        """Seconds every call of a method takes; "files-pri" is the loading of a file."""
        return self._delays.get(method, 0.0)

    def limit(self, every: int, retry_after: int, method: str) -> None:
        self._limit, self._counted = (every, retry_after, method) if every else None, 0

    def flaky(self, share: float, seed: int, method: str) -> None:
        self._flaky = (share, random.Random(seed), method) if share else None

    def verdict(self, method: str) -> Verdict:
        """What happens to this call; asked once for each."""
        delay = self._delays.get(method, self._delays.get("*", 0.0))
        for plan in self._plans:
            if plan.left and plan.method in (method, "*"):
                plan.left -= 1
                return Verdict(delay, *((None, plan.failure) if plan.late else (plan.failure, None)))
        if self._limit and self._limit[2] in (method, "*"):
            self._counted += 1
            if self._counted % self._limit[0] == 0:
                return Verdict(delay, Failure(429, "ratelimited", self._limit[1]))
        return self._by_chance(method, delay)

    def _by_chance(self, method: str, delay: float) -> Verdict:
        if self._flaky is None or self._flaky[2] not in (method, "*"):
            return Verdict(delay)
        share, chance, _ = self._flaky
        if chance.random() >= share:
            return Verdict(delay)
        failure = Failure(chance.choice((500, 502, 503)))
        return Verdict(delay, after=failure) if chance.random() < 0.5 else Verdict(delay, failure)
