"""What a doctor of a platform finds: each check says what is wrong and what to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from bot.settings import Queue, Settings

State = Literal["ok", "warning", "wrong"]
MOST_CLOCK_SECONDS = 60


@dataclass(frozen=True)
class Finding:
    """One check. cure: what to do; None where nothing is to be done."""

    check: str
    state: State
    text: str
    cure: str | None = None


@dataclass(frozen=True)
class Room:
    """A channel of the settings. use: `queue network`, `third level`, `help channel`."""

    channel: str
    use: str
    workspace: str | None = None
    hand_off: bool = True


def rooms(settings: Settings, platform: str, help_channels: Sequence[str]) -> list[Room]:
    """The channels on a platform that the settings name, each once."""
    named: list[tuple[str, Queue]] = [(f"queue {name}", queue) for name, queue in settings.handoff.queues.items()]
    named.append(("third level", settings.handoff.third_level))
    found = [Room(one.channel, use, one.workspace) for use, one in named if one.platform == platform]
    found += [Room(channel, "help channel", hand_off=False) for channel in help_channels]
    unique: dict[tuple[str, str | None], Room] = {}
    for room in found:
        unique.setdefault((room.channel, room.workspace), room)
    return list(unique.values())


def clock(told: str | None, now: Callable[[], float], whose: str) -> Finding:
    """Whether our clock and a platform's agree. told: the `Date` of one of its answers."""
    try:
        there = parsedate_to_datetime(told or "")
    except ValueError:
        return Finding("clock", "warning", f"{whose} does not say what time it is")
    return _clock_finding(there, now(), whose)


def _clock_finding(there: datetime, here: float, whose: str) -> Finding:
    apart = here - there.timestamp()
    if abs(apart) < MOST_CLOCK_SECONDS:
        return Finding("clock", "ok", f"the clock agrees with {whose}'s")
    way = "ahead of" if apart > 0 else "behind"
    text = f"the clock of this machine is {abs(apart):.0f} s {way} {whose}'s; signatures are refused after five minutes"
    return Finding("clock", "wrong", text, "let it be set by a time service (timedatectl set-ntp true)")
