"""What goes wrong at the fake Teams: errors, lost answers, delays, and the pace it allows in a conversation."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from fake_http import UNANSWERED
from fake_teams_things import TeamsError

WRITES = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))  # how many in so many seconds
READS = ((14, 1.0), (16, 2.0), (120, 30.0), (3600, 3600.0))


@dataclass(frozen=True)
class Verdict:
    """What happens to one request: seconds to wait, a status instead of the answer, whether the work is done first."""

    delay: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    processed: bool = False


@dataclass
class _Plan:
    method: str
    path: str
    left: int | None
    verdict: Verdict

    def fits(self, method: str, path: str) -> bool:
        return self.left != 0 and self.method in (method, "*") and fnmatchcase(path, self.path)


@dataclass
class _Chance:
    chance: random.Random
    rate: Mapping[int, float]
    path: str
    retry_after: int
    processed: float


class Faults:
    """The plans for what goes wrong. path is a pattern of fnmatch for the decoded path, as `*/activities`; method "*"
    means every one. Statuses beside those of HTTP: 0 cuts the connection."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._random: _Chance | None = None

    def next(
        self,
        status: int,
        n: int = 1,
        *,
        method: str = "*",
        path: str = "*/v3/*",
        processed: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """The next n such requests are answered with this status. processed: after their work was done."""
        self._plans.append(_Plan(method, path, n, Verdict(0.0, status, retry_after, processed)))

    def cut(self, n: int = 1, *, method: str = "*", path: str = "*/v3/*", processed: bool = True) -> None:
        """The next n such requests end without an answer, unless told otherwise after their work was done."""
        self.next(UNANSWERED, n, method=method, path=path, processed=processed)

    def delay(self, seconds: float, n: int | None = None, *, method: str = "*", path: str = "*") -> None:
        """The next n such requests (None: all from now on) take so many real seconds."""
        self._plans.append(_Plan(method, path, n, Verdict(seconds)))

    def random(
        self,
        seed: int,
        rate: Mapping[int, float],
        *,
        processed: float = False,
        path: str = "*/v3/*",
        retry_after: int = 1,
    ) -> None:
        """From now on requests fail by chance: rate is the share for each status, processed the share of the failed
        ones whose work is done nevertheless (never of 4xx); a 429 says retry_after seconds."""
        self._random = _Chance(random.Random(seed), dict(rate), path, retry_after, float(processed))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._plans, self._random = [], None

    def verdict(self, method: str, path: str) -> Verdict:
        """What happens to this request; asked once for each. Every delay counts, of the failures the first."""
        delay, failure = 0.0, None
        for plan in self._plans:
            if plan.fits(method, path) and (failure is None or plan.verdict.status is None):
                plan.left = None if plan.left is None else plan.left - 1
                delay += plan.verdict.delay
                failure = plan.verdict if plan.verdict.status is not None else failure
        found = failure or self._by_chance(path) or Verdict()
        return Verdict(delay, found.status, found.retry_after, found.processed)

    def _by_chance(self, path: str) -> Verdict | None:
        if self._random is None or not fnmatchcase(path, self._random.path):
            return None
        drawn, done = self._random.chance.random(), self._random.chance.random() < self._random.processed
        for status, share in self._random.rate.items():
            if drawn < share:
                after = self._random.retry_after if status == 429 else None
                return Verdict(0.0, status, after, done and not 400 <= status < 500)
            drawn -= share
        return None


@dataclass
class Pace:
    """How many requests a bot may send to one conversation. limits: how many in so many seconds; () for no limit, the
    times are still noted."""

    clock: Callable[[], float]
    limits: tuple[tuple[int, float], ...] = WRITES
    _taken: dict[str, list[float]] = field(default_factory=dict)

    def take(self, conversation: str) -> None:
        """Note a request. Raises 429 with the missing time, rounded up; such a request does not count."""
        now, taken = self.clock(), self._taken.setdefault(conversation, [])
        missing = 0.0
        for most, seconds in self.limits:
            recent = taken[bisect_right(taken, now - seconds) :]
            if len(recent) >= most:
                missing = max(missing, recent[-most] + seconds - now)
        if missing > 0:
            raise TeamsError(429, "TooManyRequests", "API calls quota exceeded", max(1, math.ceil(missing - 1e-6)))
        taken.append(now)

    def most_within(self, conversation: str, seconds: float) -> int:
        """The greatest number of accepted requests in any stretch of so many seconds."""
        taken = self._taken.get(conversation, [])
        return max((number + 1 - bisect_right(taken, at - seconds) for number, at in enumerate(taken)), default=0)

    def times(self, conversation: str) -> list[float]:
        """When requests were accepted."""
        return list(self._taken.get(conversation, ()))
