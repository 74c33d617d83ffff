"""Settings that can be used and may not be meant: what `lotse check-config` says of them."""

import difflib
import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.config_file import Key, dotted
from bot.settings_defaults import CATEGORIES, IN_GERMAN, TOPICS

if TYPE_CHECKING:
    from bot.settings import Queue, Settings

SLACK_CHANNEL = re.compile(r"(?=.*\d)[CG][A-Z0-9]{8,11}")
NEAR = 0.7  # netzwerk is as near to network, sales to files is not
NOT_PUBLIC = {"localhost", "local", "internal", "lan", "home", "corp", "test"}


def notes_on(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """What can be used and may not be meant: the setting, and what it does."""
    yield from _topics_left_out(settings)
    yield from _misnamed_categories(settings)
    yield from _slack_channels_elsewhere(settings)
    yield from _address_for_teams(settings)


def _topics_left_out(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """Topics that come with Lotse, by their words: a topic's name is the operator's to choose."""
    written = {stem(word) for topic in settings.sensitive.values() for word in topic.words}
    lost = [name for name, words in TOPICS.items() if not written & set(map(stem, words))]
    if lost:
        what = "names no word" if settings.sensitive else "is empty, it has nothing"
        cure = "leave sensitive out for all that come with Lotse, or write them beside yours"
        text = f"of {', '.join(lost)}: what people write about that is taken for an ordinary IT question; {cure}"
        yield ("sensitive",), f"sensitive {what} {text}"


def stem(word: str) -> str:
    return word.rstrip("*").lower()


def _misnamed_categories(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """Categories that are nearly one that Lotse knows: those of articles can be any, so they are not wrong."""
    written = settings.handoff.categories
    names = [*((name, name) for name in CATEGORIES), *IN_GERMAN.items()]
    known = {called: name for called, name in names if name not in written}
    for name in (name for name in written if name not in CATEGORIES):
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=NEAR)
        if near:
            key = ("handoff", "categories", name)
            text = f"is for articles with the category '{name}' only; did you mean {known[near[0]]}?"
            yield key, f"{dotted(key)} {text}"


def _slack_channels_elsewhere(settings: "Settings") -> Iterator[tuple[Key, str]]:
    handoff = settings.handoff
    places: list[tuple[Key, Queue]] = [(("handoff", "queues", name), queue) for name, queue in handoff.queues.items()]
    for key, queue in [*places, (("handoff", "third_level"), handoff.third_level)]:
        if settings.slack.mode and queue.platform == "web" and SLACK_CHANNEL.fullmatch(queue.channel):
            text = (
                f"{queue.channel} looks like a channel of Slack, but its platform is 'web': tickets stay on the pages"
            )
            yield (*key, "channel"), f"{dotted(key)}.channel {text}; for Slack add platform: slack"


def _address_for_teams(settings: "Settings") -> Iterator[tuple[Key, str]]:
    address = settings.web.public_url
    reason = out_of_reach(address)
    if settings.teams.app_id is None or reason is None:
        return
    lost = "attachments have no links and requests of Teams are refused, unless a proxy gives them this machine's name"
    what = lost if address is None else "Teams comes to https:// addresses in the internet only"
    text = f"web.public_url {reason}, but teams.app_id is set: {what}; docs/teams.md says what it has to be"
    yield ("teams", "app_id") if address is None else ("web", "public_url"), text


def out_of_reach(address: str | None) -> str | None:
    """Why Microsoft cannot reach an address, as the rest of a sentence; None where nothing speaks against it."""
    if address is None:
        return "is not set"
    if not address.startswith("https://"):
        return f"is {address}"
    return f"is {address}, which is not in the internet" if is_inside(urlsplit(address).hostname or "") else None


def is_inside(host: str) -> bool:
    """Whether a name or address can mean something in a network of one's own only."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        *above, last = host.rstrip(".").split(".")
        return not above or last in NOT_PUBLIC or last.isdecimal()
