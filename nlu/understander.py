"""Rasa when it is well, the embedded understander when it is not; no message ever waits for a sick Rasa."""

import logging
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from nlu.port import Understander, UnderstanderAway, Understanding
from nlu.text import askable

_log = logging.getLogger(__name__)

FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
_PROBE = "hallo"


class ResilientUnderstander:
    """A circuit breaker around Rasa.

    After `failures` in a row Rasa is not asked any more; a thread of its own tries it with growing pauses (seconds)
    and closes the circuit again when it answers.
    limit: seconds a message may wait for Rasa, whatever Rasa does.
    why_embedded: what health says when there is no Rasa at all.
    """

    def __init__(
        self,
        rasa: Understander | None,
        embedded: Understander,
        limit: float = 1.0,
        failures: int = FAILURES,
        pause: float = FIRST_PAUSE,
        why_embedded: str = "no Rasa is set up",
    ) -> None:
        self._rasa = rasa
        self._embedded = embedded
        self._limit = limit
        self._most_failures = failures
        self._pause = pause
        self._why_embedded = why_embedded
        self._failures = 0
        self._reason = ""
        self._open = False
        self._lock = Lock()
        self._ending = Event()

    def parse(self, text: str) -> Understanding:
        """Understand one message of any length. Never raises, never waits for Rasa longer than the limit."""
        if self._rasa is None or self._open or not askable(text):
            return self._embedded.parse(text)
        try:
            understanding = _within(self._limit, self._rasa.parse, text)
        except UnderstanderAway as away:
            self._note_failure(str(away))
            return self._embedded.parse(text)
        self._failures = 0
        self._reason = ""
        return understanding

    def health(self) -> dict[str, str]:
        """`understander` (rasa, embedded), `state` (ok, degraded, embedded by choice) and, unless ok, the `reason`."""
        if self._rasa is None:
            return {"understander": "embedded", "state": "embedded by choice", "reason": self._why_embedded}
        if self._open:
            return {"understander": "embedded", "state": "degraded", "reason": self._reason}
        state = "degraded" if self._failures else "ok"
        return {"understander": "rasa", "state": state, "reason": self._reason}

    def hold(self, reason: str) -> None:
        """Do not ask Rasa before it has answered a probe: for a Rasa that is only just starting."""
        if self._rasa is not None:
            self._reason = reason
            self._open_circuit(logging.INFO)

    def close(self) -> None:
        """End the probing."""
        self._ending.set()

    def _note_failure(self, reason: str) -> None:
        self._reason = reason
        self._failures += 1
        if self._failures >= self._most_failures:
            self._open_circuit()

    def _open_circuit(self, level: int = logging.WARNING) -> None:
        with self._lock:
            if self._open:
                return
            self._open = True
        _log.log(level, "Rasa is not asked for now: %s", self._reason)
        Thread(target=self._probe_until_well, name="rasa-probe", daemon=True).start()

    def _probe_until_well(self) -> None:
        pause = self._pause
        while not self._ending.wait(pause):
            if self._answers():
                self._failures, self._reason, self._open = 0, "", False
                _log.info("Rasa answers again")
                return
            pause = min(2 * pause, LONGEST_PAUSE)

    def _answers(self) -> bool:
        try:
            if self._rasa is not None:
                _within(self._limit, self._rasa.parse, _PROBE)
        except UnderstanderAway as away:
            self._reason = str(away)
            return False
        return True


def _within(seconds: float, ask: Callable[[str], Understanding], text: str) -> Understanding:
    """Ask in a thread that is left behind when it is late. Raises UnderstanderAway for late and for failed."""
    answers: SimpleQueue[Understanding | UnderstanderAway] = SimpleQueue()
    Thread(target=lambda: answers.put(_outcome(ask, text)), name="rasa-ask", daemon=True).start()
    try:
        outcome = answers.get(timeout=seconds)
    except Empty:
        raise UnderstanderAway(f"Rasa took longer than {seconds:g} s") from None
    if isinstance(outcome, UnderstanderAway):
        raise outcome
    return outcome


def _outcome(ask: Callable[[str], Understanding], text: str) -> Understanding | UnderstanderAway:
    try:
        return ask(text)
    except UnderstanderAway as away:
        return away
    except Exception as error:  # noqa: BLE001 - a message must not be lost because an understander has a fault
        return UnderstanderAway(f"Rasa could not be asked ({type(error).__name__})")
