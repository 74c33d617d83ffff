"""Waiting for what happens in another thread or process, and seeing whether a process lives."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep


def eventually(true: Callable[[], bool], seconds: float = 120) -> bool:
    """Whether it becomes true in time."""
    deadline = monotonic() + seconds
    while not true() and monotonic() < deadline:
        sleep(0.02)
    return true()


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
