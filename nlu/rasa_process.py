"""The Rasa server as our own child: started, watched, started again, ended."""

import logging
import secrets
import socket
import subprocess
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic

from nlu.environment import Environment
from nlu.rasa_command import end_rasa, start_rasa
from nlu.rasa_server import RasaServer

_log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before a dead Rasa is started again; doubled each time it dies young."""
_GROWN_UP = 60.0
_LOOK_EVERY = 0.2


class RasaProcess:
    """One Rasa server on loopback, with a token nobody else has.

    A server of an earlier run can neither outlive its parent nor pass for ours: it does not know the token.
    port: 0 picks a free one. output: the file for what Rasa prints (warnings; never message texts).
    """

    def __init__(
        self,
        environment: Environment,
        model: Path,
        port: int = 0,
        token: str | None = None,
        output: Path | None = None,
    ) -> None:
        self._environment = environment
        self._model = model.absolute()
        self._port = port or _free_port()
        self.output = (output or self._model.parent / "rasa.log").absolute()
        self._child: subprocess.Popen[bytes] | None = None
        self._changing = Lock()
        self._ending = Event()
        self._watcher: Thread | None = None
        self.token = token or secrets.token_urlsafe(32)
        self.restarts = 0

    @property
    def url(self) -> str:
        """Where it listens; the same over all restarts."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process that runs now, None when it is down."""
        child = self._child
        return child.pid if child and child.poll() is None else None

    def start(self) -> None:
        """Start it; it answers some 8 s later (see ready). Does nothing when it runs. Raises OSError."""
        with self._changing:
            if self.pid is None and not self._ending.is_set():
                self._end_child()
                self._child = self._spawn()

    def ready(self) -> bool:
        """Whether our own process runs and answers with its model loaded."""
        if self.pid is None:
            return False
        with RasaServer(self.url, self.token) as server:
            return server.ready()

    def wait_ready(self, seconds: float = 60.0) -> bool:
        """Wait until it is ready; False when it is not after `seconds` or has been stopped."""
        deadline = monotonic() + seconds
        while not self.ready():
            if monotonic() > deadline or self._ending.wait(_LOOK_EVERY):
                return False
        return True

    def watch(self) -> None:
        """Start it again, from a thread and with growing pauses, whenever it dies, until stop()."""
        if self._watcher is None:
            self._watcher = Thread(target=self._watch, name="rasa-watch", daemon=True)
            self._watcher.start()

    def stop(self) -> None:
        """End it and the watching; ends this process's own child and nothing else."""
        self._ending.set()
        with self._changing:
            self._end_child()
        if self._watcher:
            self._watcher.join()

    def _watch(self) -> None:
        wait = FIRST_WAIT
        born = monotonic()
        while not self._ending.wait(_LOOK_EVERY):
            if self.pid is not None:
                continue
            wait = FIRST_WAIT if monotonic() - born > _GROWN_UP else wait
            _log.warning("Rasa is down; starting it again in %.0f s", wait)
            if self._ending.wait(wait):
                return
            wait = min(2 * wait, LONGEST_WAIT)
            born = monotonic()
            self._start_again()

    def _start_again(self) -> None:
        self.restarts += 1
        try:
            self.start()
        except OSError as error:
            _log.warning("Rasa could not be started (%s)", error)

    def _spawn(self) -> subprocess.Popen[bytes]:
        arguments = ["run", "--enable-api", "--quiet", "--model", str(self._model)]
        arguments += ["--interface", "127.0.0.1", "--port", str(self._port), "--auth-token", self.token]
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            return start_rasa(self._environment, arguments, self.output.parent / "run", output)

    def _end_child(self) -> None:
        if self._child:
            end_rasa(self._child)
            self._child = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
