"""What a test can make go wrong at the fake Slack, and what it can allow."""

from fake_slack_faults import Failure, Faults
from fake_slack_server import WebApi
from fake_slack_state import State


class Switches:
    """The part of FakeSlack that changes how it behaves."""

    state: State
    faults: Faults
    api: WebApi

    def fail_next(
        self,
        method: str = "*",
        n: int = 1,
        status: int = 503,
        *,
        error: str | None = None,
        retry_after: int | None = None,
        after: bool = False,
    ) -> None:
        """The next n calls fail. error: with `ok: false` (status is then 200); after: their effect takes place."""
        limited = retry_after is not None
        failure = Failure(
            429 if limited else 200 if error else status, "ratelimited" if limited else error, retry_after
        )
        self.faults.plan(method, n, failure, late=after)

    def lose_answer(self, method: str = "*", n: int = 1) -> None:
        """The next n calls take effect, then the connection ends without an answer."""
        self.faults.plan(method, n, Failure(0), late=True)

    def delay(self, method: str, seconds: float) -> None:
        """Every call of a method takes this long from now on."""
        self.faults.delay(method, seconds)

    def rate_limit(self, every: int, retry_after: int = 1, method: str = "*") -> None:
        """Every so-manieth call is answered with 429; 0 ends it."""
        self.faults.limit(every, retry_after, method)

    def flaky(self, share: float, seed: int = 0, method: str = "*") -> None:
        """A share of the calls gets a 5xx, half of them after they took effect; 0 ends it."""
        self.faults.flaky(share, seed, method)

    @property
    def pace(self) -> float | None:
        """Seconds that must lie between two posts in one channel."""
        return self.state.pace.seconds

    @pace.setter
    def pace(self, seconds: float | None) -> None:
        self.state.pace.seconds = seconds

    @property
    def burst(self) -> int:
        """How many posts more are taken at once."""
        return self.state.pace.burst

    @burst.setter
    def burst(self, posts: int) -> None:
        self.state.pace.burst = posts

    @property
    def allow_mentions(self) -> bool:
        """Whether the app may mention people."""
        return self.api.allow_mentions

    @allow_mentions.setter
    def allow_mentions(self, allow: bool) -> None:
        self.api.allow_mentions = allow
