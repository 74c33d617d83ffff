"""What every channel shares: the values that cross the edge, and the Channel itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Side = Literal["requester", "handoff", "third_level"]


@dataclass(frozen=True)
class Address:
    """Where a message is: platform (`web`, `console`, later `slack`, `teams`), channel, thread in it, and what the
    platform needs beside them to reach it (route)."""

    platform: str
    channel: str
    thread: str | None = None
    route: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Sender:
    """Who wrote: the platform's own id, the name to show, and what the platform knows of their
    language (`de`, `en`) and form of address (`du`, `sie`)."""

    platform: str
    id: str
    name: str
    language: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class File:
    """A file that came with a message. content is None when it was refused; refused then says why (a reply key)."""

    name: str
    media_type: str
    content: bytes | None
    refused: str | None = None


@dataclass(frozen=True)
class Incoming:
    """One message as a platform brought it. source_id is unique on its platform; the same id is the same message.

    is_note / is_reply: an agent said so with a button; otherwise the rule of the hand-off channel decides. edits,
    deletes: source_id of the message that was edited (text is its new wording) or deleted.
    """

    address: Address
    sender: Sender
    text: str
    source_id: str
    written_at: datetime
    files: tuple[File, ...] = ()
    is_note: bool = False
    is_reply: bool = False
    edits: str | None = None
    deletes: str | None = None


@dataclass(frozen=True)
class Press:
    """A button pressed: action is its name, value what it carried, fields what a form beside it held, on the key of the
    message it stands below (None for a button of a page)."""

    address: Address
    person: Sender
    action: str
    value: str
    source_id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    on: str | None = None


@dataclass(frozen=True)
class PressResult:
    """What became of a press; text is told to whoever pressed, in their language, None when nothing is to be said."""

    ok: bool
    text: str | None = None


@dataclass(frozen=True)
class Button:
    """A button below a reply."""

    action: str
    label: str
    value: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"


@dataclass(frozen=True)
class Link:
    """A link below a reply: the source of an answer, a file."""

    label: str
    url: str


@dataclass(frozen=True)
class Reply:
    """What Lotse says, free of any platform. text is Markdown of the small common subset (paragraphs, lists, bold,
    code); author is set when a person speaks through Lotse."""

    text: str
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    author: str | None = None
    files: tuple[File, ...] = ()


@dataclass(frozen=True)
class Sent:
    """A delivered post: the platform's id for it and the address of the thread it stands in or opened."""

    platform_id: str
    address: Address


class Unreachable(Exception):  # noqa: N818
    """The place can never be reached this way (blocked, deleted, forbidden). Not retried; the agent is told."""


class TryAgain(Exception):  # noqa: N818
    """The platform cannot take it now. after: seconds to wait, from Retry-After where the platform says so."""

    def __init__(self, after: float | None = None) -> None:
        super().__init__("try again" if after is None else f"try again in {after:g} s")
        self.after = after


class Channel(Protocol):
    """A way to people. Calls come from worker threads; key is our message id and is carried by the post."""

    platform: str

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        """Post a reply. Raises Unreachable or TryAgain; any other error leaves the outcome unclear."""
        ...

    def update(self, address: Address, platform_id: str, reply: Reply) -> None:
        """Replace an earlier post. Raises as send."""
        ...

    def find(self, address: Address, key: str) -> Sent | None:
        """The post that carries this key, if it is there; asked before a send of unclear outcome is repeated."""
        ...


Channels = Mapping[str, Channel]
