"""Starting a Rasa command as a child that cannot outlive this process."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from nlu.environment import Environment

LAUNCHER = Path(__file__).parent / "rasa" / "launch.py"
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
_QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "LOG_LEVEL": "WARNING",
    "LOG_LEVEL_LIBRARIES": "ERROR",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}


def start_rasa(
    environment: Environment, arguments: Sequence[str], folder: Path, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start `rasa ARGUMENTS` with `folder` as working directory and everything it prints going to `output`.

    In a process group of its own, without Lotse's environment variables (tokens of chat platforms among them), and
    ended by its launcher when this process is gone, even by SIGKILL. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}
    child = subprocess.Popen(  # noqa: S603 - our own command
        [str(environment.python), str(LAUNCHER)],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**variables, **_QUIET, "MPLCONFIGDIR": str(folder)},
        start_new_session=True,
    )
    _tell(child, list(arguments))
    return child


def end_rasa(child: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    """End this child's whole group: SIGTERM, after `patience` seconds SIGKILL. Does nothing to an ended one."""
    for strength in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            os.killpg(child.pid, strength)
            _wait(child, patience)
    if child.stdin:
        child.stdin.close()


def _tell(child: subprocess.Popen[bytes], arguments: list[str]) -> None:
    if child.stdin is None:
        raise OSError("no pipe to the Rasa process")
    try:
        child.stdin.write(json.dumps(arguments).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        child.wait()


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return
