"""What a Teams consists of: people, teams, conversations, messages, files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from fake_teams_cards import PressButton, buttons_of

Kind = Literal["personal", "groupChat", "channel"]
CARD = "application/vnd.microsoft.card.adaptive"


class TeamsError(Exception):
    """An answer that is an error: HTTP status, Microsoft's code, words; retry_after in whole seconds."""

    def __init__(self, status: int, code: str, message: str = "", retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.retry_after = status, code, retry_after
        self.message = message or code


class RefusedByClientError(Exception):
    """The person's Teams does not let them do this: a field is missing or too long, a button is not there."""


@dataclass(frozen=True)
class Call:
    """One request the server got. path is decoded and without the query, query stands beside it; body: JSON, else the
    form, else text; bytes: size of the body; status 0: the connection ended without an answer; error: the code."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    bytes: int
    error: str = ""


@dataclass
class Person:
    """Somebody in a tenant. id is the object id in the directory, teams_id what a bot knows them by."""

    id: str
    teams_id: str
    name: str
    locale: str
    tenant: str
    blocked: bool = False

    @property
    def principal(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@acme.example"

    def as_account(self) -> dict[str, str]:
        """As `from` of an activity."""
        return {"id": self.teams_id, "name": self.name, "aadObjectId": self.id}

    def as_member(self) -> dict[str, str]:
        """As the list of members tells it."""
        given, _, surname = self.name.partition(" ")
        names = {"givenName": given, "surname": surname, "email": self.principal, "userPrincipalName": self.principal}
        ids = {"id": self.teams_id, "aadObjectId": self.id, "objectId": self.id, "tenantId": self.tenant}
        return {**ids, "name": self.name, **names, "userRole": "user"}


@dataclass
class Team:
    """A team; its id is that of its General channel. installed: the app is in it; rsc: it may read the channels."""

    id: str
    group_id: str
    name: str
    tenant: str
    members: list[str] = field(default_factory=list)
    installed: bool = True
    rsc: bool = True

    def as_dict(self) -> dict[str, str]:
        return {"id": self.id, "name": self.name, "aadGroupId": self.group_id}


@dataclass
class Message:
    """One message. author is None when it is the bot's. root: the first of its thread, in channels; shown: the card
    that a press put in place of this one, for who pressed; edits: how often it was changed;
    activity: as it was brought to the bot, if it was."""

    id: str
    channel: str
    author: Person | None
    text: str = ""
    root: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    channel_data: dict[str, Any] = field(default_factory=dict)
    summary: str = ""
    at: float = 0.0
    edited_at: float | None = None
    deleted_at: float | None = None
    edits: int = 0
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    activity: dict[str, Any] | None = None

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def thread(self) -> str:
        """The id of the first message of its thread, which may be itself."""
        return self.root or self.id

    @property
    def is_reply(self) -> bool:
        return self.root is not None

    @property
    def cards(self) -> list[dict[str, Any]]:
        return [one["content"] for one in self.attachments if one.get("contentType") == CARD]

    @property
    def card(self) -> dict[str, Any] | None:
        """The first card, as everybody sees it."""
        return self.cards[0] if self.cards else None

    def card_for(self, person: Any) -> dict[str, Any] | None:
        """The card as this person (an Actor or a Person) sees it."""
        return self.shown.get(person.id, self.card)

    @property
    def buttons(self) -> list[PressButton]:
        """What can be pressed on the card, in order."""
        return buttons_of(self.card or {})

    def take(self, activity: Mapping[str, Any]) -> None:
        """Say what this activity of the bot says."""
        self.text, self.summary = activity.get("text") or "", activity.get("summary") or ""
        self.attachments = list(activity.get("attachments") or ())
        self.entities = list(activity.get("entities") or ())
        self.channel_data = dict(activity.get("channelData") or {})


@dataclass
class Channel:
    """A conversation: a channel, a group chat or a person's chat with the bot, with its messages by id. installed:
    the bot is in it; known: a chat that was begun (only then the bot can write there); rsc: None as its team says."""

    id: str
    kind: Kind
    tenant: str
    name: str | None = None
    members: list[str] = field(default_factory=list)
    team: Team | None = None
    installed: bool = True
    rsc: bool | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    typing: dict[str, list[float]] = field(default_factory=dict)

    @property
    def has_bot(self) -> bool:
        return self.team.installed if self.team else self.installed

    @property
    def hears_all(self) -> bool:
        """Whether the bot gets what does not mention it."""
        if self.kind == "personal":
            return True
        return self.rsc if self.rsc is not None else bool(self.team and self.team.rsc)

    @property
    def people(self) -> list[str]:
        return self.team.members if self.team else self.members

    def thread_of(self, root: str) -> list[Message]:
        return [one for one in self.messages.values() if one.thread == root]


@dataclass
class StoredFile:
    """A file of a person. gone: its address no longer works; inline: an image inside a message."""

    id: str
    name: str
    content: bytes
    media_type: str
    url: str
    inline: bool = False
    gone: bool = False


def iso(at: float) -> str:
    """A time as activities and Graph write it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
