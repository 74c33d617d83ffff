"""What every channel shares: the values that cross the edge, and the Channel itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Side = Literal["requester", "handoff", "third_level"]
Parts = tuple[str, ...]  # the platform's ids of the posts that one long reply stands in, in order
OPEN_TICKET = "open_ticket"  # the press that opens a ticket about the words it carries
DELETED = "#deleted"  # behind the source_id of a message: the source_id of its deletion


@dataclass(frozen=True)
class Address:
    """Where a message is: platform (`web`, `console`, `slack`, `teams`), channel, thread in it, and what the
    platform needs beside them to reach it (route)."""

    platform: str
    channel: str
    thread: str | None = None
    route: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Sender:
    """Who wrote: the platform's own id, the name to show, and what the platform knows of their
    language (`de`, `en`) and form of address (`du`, `sie`). An empty name: the platform did not say; it is looked up
    (`Channel.profile`) before the message is handled."""

    platform: str
    id: str
    name: str
    language: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Profile:
    """What a platform knows of a person. image: the address of a picture that the platform itself shows."""

    name: str
    language: str | None = None
    image: str | None = None


@dataclass(frozen=True)
class File:
    """A file that came with a message. content is None when it was refused; refused then says why (a reply key).

    source: where the platform keeps it, when it has not been loaded yet; it is fetched (`Channel.fetch`) before the
    message is handled, because a platform is acknowledged in seconds and a file may take longer. number: the row of
    the record that holds it, for platforms that get a link instead of the file.
    """

    name: str
    media_type: str
    content: bytes | None
    refused: str | None = None
    source: str | None = None
    number: int | None = None


@dataclass(frozen=True)
class Incoming:
    """One message as a platform brought it. source_id is unique on its platform; the same id is the same message.

    is_note / is_reply: an agent said so with a button; otherwise the rule of the hand-off channel decides. edits,
    deletes: source_id of the message that was edited (text is its new wording) or deleted. addressed: it is plainly
    meant for Lotse; what is not is taken only from the requester of a case at its address (behaviour rule 4). loose: it
    stands outside any thread and goes on with the sender's newest case in its channel while that one is fresh.
    from_form: it was written in a form or a command and does not stand at its address yet.
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
    addressed: bool = True
    loose: bool = False
    from_form: bool = False


@dataclass(frozen=True)
class Press:
    """A button pressed: action is its name, value what it carried, fields what a form beside it held, on the key of the
    message it stands below (None for a button of a page). on_behalf_of: for whom a case is opened, when it is not the
    person who presses. from_form: what it is about stands elsewhere, and not at its address."""

    address: Address
    person: Sender
    action: str
    value: str
    source_id: str
    fields: Mapping[str, str] = field(default_factory=dict)
    on: str | None = None
    on_behalf_of: Sender | None = None
    from_form: bool = False


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
class Fact:
    """One line of a card: `Priority: P2`."""

    label: str
    value: str


@dataclass(frozen=True)
class Choice:
    """A list below a card from which one value is chosen. options: (value, label). people: any person of the platform
    can be chosen instead."""

    action: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    chosen: str | None = None
    people: bool = False


@dataclass(frozen=True)
class Card:
    """A ticket as its hand-off channel sees it, beside the same as text. rule: who reads what is written below it."""

    title: str
    summary: str
    facts: tuple[Fact, ...]
    choices: tuple[Choice, ...]
    rule: str


@dataclass(frozen=True)
class Reply:
    """What Lotse says, free of any platform.

    text is Markdown of the small common subset (paragraphs, lists, bold, code), or, with `author`, what a person wrote,
    as they wrote it. author is set when a person speaks through Lotse, image is their picture; note: it is a note of
    theirs for agents. allowed_links: the only addresses that may be links inside the text. card: the same as fields.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    author: str | None = None
    files: tuple[File, ...] = ()
    image: str | None = None
    note: bool = False
    allowed_links: frozenset[str] = frozenset()
    card: Card | None = None


@dataclass(frozen=True)
class Sent:
    """A delivered post: the platform's id for it and the address of the thread it stands in or opened. The address's
    route may hold a `permalink`, which opens the thread for people who may see it. parts: the ids of all its parts,
    where a platform cannot be asked for them later."""

    platform_id: str
    address: Address
    parts: Parts = ()


class Lost(Exception):  # noqa: N818
    """What a post was meant for is not there. doubtful: the platform says so, and is known to say so wrongly at times;
    it counts once it was said for a minute."""

    def __init__(self, text: str = "", *, doubtful: bool = False) -> None:
        super().__init__(text)
        self.doubtful = doubtful


class Unreachable(Lost):
    """The place can never be reached this way (blocked, deleted, forbidden). Not retried; the agent is told."""


class ThreadLost(Lost):
    """The thread is gone, its channel is not. A ticket's thread is opened anew, never written beside it."""


class TryAgain(Exception):  # noqa: N818
    """The platform cannot take it now. after: seconds to wait, from Retry-After where the platform says so. begun: a
    part of a long reply is there already, the rest is to be resumed; parts: the ids of those that are, where a platform
    cannot be asked for them later. reason: the platform's own word, for the log."""

    def __init__(self, after: float | None = None, *, begun: bool = False, parts: Parts = (), reason: str = "") -> None:
        super().__init__("try again" if after is None else f"try again in {after:g} s")
        self.after = after
        self.begun = begun
        self.parts = parts
        self.reason = reason


class Unclear(OSError):  # noqa: N818 - it is a state, and reads as one
    """Nobody knows whether the platform has it: it is looked up, where it can be, before it is sent again. Never given
    up."""


class Channel(Protocol):
    """A way to people. Calls come from worker threads; key is our message id and is carried by the post.

    pace: least seconds between two posts to one channel of the platform. can_be_asked: whether it knows more than came
    with a message (profiles, files, what was written before). takes_files: whether files can be posted; where not, a
    channel posts links to them, and a long transcript comes as text.
    """

    platform: str
    pace: float = 0.0
    can_be_asked: bool = False
    takes_files: bool = True

    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        """Post a reply. Raises Unreachable, ThreadLost or TryAgain; any other error leaves the outcome unclear."""
        ...

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        """As send, after a send since then whose outcome is unclear: what of it is there already is not repeated.

        parts: the ids of those parts of which we know already.
        """
        ...

    def go_on(self, address: Address, reply: Reply, key: str, parts: Parts) -> Sent:
        """As resume, when nothing is unclear: exactly these parts are there. Only where TryAgain told them."""
        raise Unreachable("this platform tells no parts")

    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        """Replace an earlier post, with all the parts we know of; the parts it has now, where they are kept. Raises as
        send; TryAgain may tell the parts that there are meanwhile."""
        ...

    def resume_update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        """As update, after an update whose outcome is unclear."""
        return self.update(address, platform_id, reply, parts)

    def profile(self, person_id: str, route: Mapping[str, str]) -> Profile | None:
        """What the platform knows of a person; None where it knows no more than came with the message."""
        return None

    def fetch(self, source: str, route: Mapping[str, str]) -> bytes:
        """The content of a file that came with a message. Raises TryAgain, or Unreachable when it is gone."""
        raise Unreachable("this platform keeps no files")

    def history(self, address: Address) -> Sequence[Incoming]:
        """What was written in a thread before Lotse was asked, oldest first."""
        return ()


Channels = Mapping[str, Channel]
