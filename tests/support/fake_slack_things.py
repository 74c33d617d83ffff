"""What a Slack consists of: workspaces, people, channels, messages, files, views."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from slack_validator import texts

Kind = Literal["public", "private", "im", "mpim"]
KIND_TYPES = {"public": "public_channel", "private": "private_channel", "im": "im", "mpim": "mpim"}
EVENT_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
SCOPE_WORDS = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


class SlackError(Exception):
    """An answer `ok: false`; extra stands beside the error."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.extra = code, extra


@dataclass
class Bot:
    """The app in one workspace."""

    token: str
    user_id: str
    bot_id: str
    team: str
    scopes: set[str]


@dataclass
class Workspace:
    """bot is None until the app is installed."""

    id: str
    name: str
    domain: str
    url: str
    bot: Bot | None = None


@dataclass
class User:
    """A person or a bot, as users.info tells them."""

    id: str
    team: str
    real_name: str
    display_name: str = ""
    locale: str = "de-DE"
    tz: str = "Europe/Berlin"
    image: str = "https://avatars.slack-edge.com/2026-01-01/1_512.png"
    email: str | None = None
    is_bot: bool = False
    deleted: bool = False

    def as_dict(self, *, locale: bool = False) -> dict[str, Any]:
        name = (self.display_name or self.real_name).lower().replace(" ", ".")
        shown = {"real_name": self.real_name, "display_name": self.display_name, "team": self.team}
        images = {f"image_{size}": self.image for size in (24, 32, 48, 72, 192, 512)}
        email = {"email": self.email} if self.email else {}
        told = {
            "id": self.id,
            "team_id": self.team,
            "name": name,
            "deleted": self.deleted,
            "real_name": self.real_name,
            "tz": self.tz,
            "profile": {**shown, "real_name_normalized": self.real_name, **images, **email},
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 0,
        }
        return told | ({"locale": self.locale} if locale else {})


@dataclass
class Message:
    """One message. ephemeral_for: the only person who sees it. deleted: gone, or a tombstone above its replies."""

    ts: str
    channel: str
    team: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    username: str | None = None
    icon_url: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None
    files: list[str] = field(default_factory=list)
    edited: dict[str, str] | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_for: str | None = None
    deleted: bool = False
    at: float = 0.0

    @property
    def root(self) -> str:
        return self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def shown(self) -> str:
        """What people read: the texts of the blocks, or the text where there are none."""
        return "\n".join(text for _, _, text in texts(self.blocks)) or self.text


@dataclass
class Channel:
    """A channel, a group or a direct conversation with its messages by ts."""

    id: str
    team: str
    name: str
    kind: Kind
    members: list[str] = field(default_factory=list)
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    def as_dict(self, bot: str) -> dict[str, Any]:
        if self.kind == "im":
            other = next((one for one in self.members if one != bot), bot)
            told = {"is_im": True, "user": other, "is_user_deleted": False}
        else:
            told = {"name": self.name, "name_normalized": self.name, "num_members": len(self.members)}
            told |= {"is_im": False, "is_channel": self.kind == "public", "is_group": self.kind == "private"}
        kinds = {"is_mpim": self.kind == "mpim", "is_private": self.kind != "public"}
        membership = {"is_member": bot in self.members, "is_archived": self.archived}
        return {"id": self.id, "context_team_id": self.team, "created": 0, **told, **kinds, **membership}

    def replies(self, root: str) -> list[Message]:
        return [one for one in self.messages.values() if one.is_reply and one.thread_ts == root]


@dataclass
class StoredFile:
    """A file: uploaded once its bytes are here, shared once it stands in a channel."""

    id: str
    team: str
    user: str
    name: str
    title: str
    content: bytes | None
    size: int
    mimetype: str = "application/octet-stream"
    url: str = ""
    access: str = "visible"
    channels: list[str] = field(default_factory=list)


@dataclass
class View:
    """An opened modal or a published App Home. open: people still see it."""

    id: str
    team: str
    user: str
    view: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str | None = None
    open: bool = True


@dataclass(frozen=True)
class Call:
    """One call of the Web API. outcome: `ok`, the error code, `http 503` or `lost`."""

    at: float
    method: str
    token: str
    payload: dict[str, Any]
    outcome: str


@dataclass
class Trigger:
    user: str
    team: str
    expires: float
    used: bool = False


@dataclass
class ResponseUrl:
    """Where an interaction may be answered: beside the message it came from."""

    user: str
    team: str
    channel: str
    message: Message | None
    expires: float
    uses: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)


def reactions_dict(message: Message) -> list[dict[str, Any]]:
    pairs = message.reactions.items()
    return [{"name": name, "users": list(users), "count": len(users)} for name, users in pairs if users]


def elements_of(blocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(block, element) of everything people can press, choose or type into, in order."""
    for block in blocks:
        inner = block.get("elements", []) if block["type"] == "actions" else []
        found = [*inner, *(block[place] for place in ("accessory", "element") if place in block)]
        yield from ((block, element) for element in found if element["type"] != "image")
