"""What Teams brings, as the port's values: pure translation, tested with recorded payloads."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from bot.attachments import plain_name, why_refused
from bot.channels.port import DELETED, Address, File, Incoming, Sender
from bot.channels.teams.words import AT, Mentioned, from_html, names_in, tidy, words_of
from bot.notes import behind, note_in

CHAT = "@"  # the personal chat with somebody is a channel named after them: `@5f0c...`
ROOT = ";messageid="
FILE = "application/vnd.microsoft.teams.file.download.info"
FIRST_AT = re.compile(rf"(?:\s|&nbsp;)*{AT.pattern}", re.DOTALL)
SOON = timedelta(minutes=1)  # in which the change of a post can come before the post itself
LONGEST_TEXT = 100_000
FORWARDED = "forwardedmessagereference"
CARDS = "application/vnd.microsoft.card."
PREVIEWS = {f"{CARDS}{kind}" for kind in ("adaptive", "hero", "list", "o365connector", "thumbnail")}  # of links, mostly
ELSEWHERE = {"text/html", "messagereference", FORWARDED, "", *PREVIEWS}  # are read as words, or say nothing new
TYPES = (
    *("message", "messageUpdate", "messageDelete", "messageReaction", "invoke", "conversationUpdate"),
    *("installationUpdate", "typing", "event", "endOfConversation", "command", "commandResult", "handoff", "trace"),
)
Kind = Literal["personal", "groupChat", "channel"]
LONGEST_ID = 160
PLAIN = r"[^\s/?#%\\\x00-\x1f\x7f]+"  # ids stand in the addresses of calls
Id = Annotated[str, StringConstraints(pattern=rf"\A{PLAIN}\z", max_length=LONGEST_ID)]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
OR_NONE = BeforeValidator(lambda value: value if value is not None else [])  # Teams says null for nothing
Rest = Annotated[dict[str, Any], BeforeValidator(lambda value: value if value is not None else {})]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Account(Part):
    id: Id
    name: Annotated[str, StringConstraints(max_length=300)] | None = None
    person: Id | None = Field(None, alias="aadObjectId")
    tenant: str | None = Field(None, alias="tenantId")


class Conversation(Part):
    id: Id
    kind: str | None = Field(None, alias="conversationType")
    tenant: str | None = Field(None, alias="tenantId")


class Attachment(Part):
    type: str = Field("", alias="contentType")
    url: str | None = Field(None, alias="contentUrl")
    content: Any = None
    name: str | None = None


class Activity(Part):
    """An activity, as far as Lotse reads it. What is missing or of another shape is refused here, in one place."""

    type: Literal[TYPES]  # type: ignore[valid-type]  # the names above
    id: Id
    channel: str = Field(alias="channelId")
    service_url: Annotated[str, StringConstraints(pattern=r"\Ahttps?://[^\s\\]+\z", max_length=500)] = Field(
        alias="serviceUrl"
    )
    sender: Account = Field(alias="from")
    conversation: Conversation
    me: Account = Field(alias="recipient")
    at: datetime | None = Field(None, alias="timestamp")
    name: str | None = None
    action: str | None = None
    text: Text | None = None
    locale: str | None = None
    reply_to: Annotated[Id | None, BeforeValidator(lambda value: value or None)] = Field(None, alias="replyToId")
    attachments: Annotated[list[Attachment], OR_NONE] = []
    entities: Annotated[list[dict[str, Any]], OR_NONE] = []
    data: Rest = Field({}, alias="channelData")
    value: Any = None
    added: Annotated[list[Account], OR_NONE] = Field([], alias="membersAdded")
    removed: Annotated[list[Account], OR_NONE] = Field([], alias="membersRemoved")

    @property
    def channel_id(self) -> str:
        """The conversation's id without the thread in it."""
        return self.conversation.id.partition(ROOT)[0]

    @property
    def root(self) -> str | None:
        """The message that began the thread, in a channel."""
        return self.conversation.id.partition(ROOT)[2] or None

    @property
    def tenant(self) -> str:
        told = within(self.data, "tenant", "id") or self.conversation.tenant
        return str(told or "")

    @property
    def person(self) -> str:
        """Who it is from: their id in Entra, the same for every bot and in Microsoft Graph, where Teams tells it."""
        return person_of(self.sender)

    @property
    def kind(self) -> Kind:
        """Where it was written; told by the shape of the id where Teams does not say."""
        told, id_ = self.conversation.kind, self.channel_id
        if told in ("personal", "groupChat", "channel"):
            return told  # type: ignore[return-value]  # one of the three
        if not id_.startswith("19:"):
            return "personal"
        return "channel" if id_.endswith(("@thread.tacv2", "@thread.skype")) else "groupChat"

    def mentioned(self) -> list[Mentioned]:
        """Whom it mentions, in order."""
        found = (entity for entity in self.entities if entity.get("type") == "mention")
        return [Mentioned(str(within(one, "mentioned", "id") or ""), called(one)) for one in found]

    def html(self) -> str | None:
        """The message as HTML, where Teams sends a copy."""
        copies = (one.content for one in self.attachments if one.type.lower() == "text/html")
        return next((copy for copy in copies if isinstance(copy, str) and len(copy) <= LONGEST_TEXT), None)


def called(entity: Mapping[str, Any]) -> str:
    """The words that stand for somebody in a text: people can shorten a name they mention."""
    shown = AT.fullmatch(str(entity.get("text") or "").strip())
    return unescape(shown[1]) if shown is not None else str(within(entity, "mentioned", "name") or "")


class Malformed(ValueError):  # noqa: N818 - what is wrong with a request
    """A body that is no activity. where: the names of its wrong fields, never their values."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the body is no activity of Teams: see {where}")
        self.where = where


def read_activity(body: object) -> Activity:
    """A parsed body as an activity. Raises Malformed."""
    try:
        return Activity.model_validate(body)
    except ValidationError as error:
        places = {".".join(str(part) for part in found["loc"][:3]) for found in error.errors(include_input=False)}
        raise Malformed(", ".join(sorted(places))[:200] or "its type") from None
    except RecursionError:
        raise Malformed("its depth") from None


@dataclass(frozen=True)
class Here:
    """What is needed to read messages: the channels where every post is a question, those where agents work, the bytes
    a file may have, and what a note begins with."""

    help_channels: frozenset[str] = field(default_factory=frozenset)
    team_rooms: frozenset[str] = field(default_factory=frozenset)
    limit: int = 10 * 1024 * 1024
    note_marks: tuple[str, ...] = ()


# --- where and who ----------------------------------------------------------------------------------------------------
def address_of(activity: Activity) -> Address:
    """Where something was written. Personal chats are named after the person, so that they are known before Teams is
    asked for them; in a group chat everybody's case is a place of its own."""
    route = route_of(activity)
    if activity.kind == "personal":
        return Address("teams", f"{CHAT}{activity.person}", None, route | {"conversation": activity.channel_id})
    route |= {"shared": "yes"}  # others read it, too
    if activity.kind == "groupChat":
        return Address("teams", activity.channel_id, f"{CHAT}{activity.person}", route | {"name": name_of(activity)})
    return Address("teams", activity.channel_id, activity.root or activity.id, route)


def route_of(activity: Activity) -> dict[str, str]:
    """What is needed to write there: each conversation has the service address it was last heard from."""
    told = {
        "service_url": activity.service_url,
        "tenant": activity.tenant,
        "team": within(activity.data, "team", "id"),
        "group": within(activity.data, "team", "aadGroupId"),
    }
    return {name: str(value) for name, value in told.items() if value}


def name_of(activity: Activity) -> str:
    return activity.sender.name or ""


def person_of(account: Account) -> str:
    return account.person or account.id


def sender_of(activity: Activity) -> Sender:
    """Who wrote, with the language of their Teams."""
    return Sender("teams", activity.person, name_of(activity), language_of(activity))


def is_id(text: str) -> bool:
    """Whether a text that somebody sent could be an id of Teams."""
    return len(text) <= LONGEST_ID and re.fullmatch(PLAIN, text) is not None and bool(text.strip("."))


def language_of(activity: Activity) -> str | None:
    """The language of somebody's Teams, when it is one of ours."""
    info = next((entity for entity in activity.entities if entity.get("type") == "clientInfo"), {})
    told = str(info.get("locale") or activity.locale or "")[:2].lower()
    return told if told in {"de", "en"} else None


def source_id(address: Address, activity_id: str) -> str:
    """A message's id, unique in all of Teams: ids are so within their conversation only."""
    return f"{address.channel}/{activity_id}"


# --- messages ---------------------------------------------------------------------------------------------------------
def to_incoming(activity: Activity, here: Here, now: datetime) -> Incoming | None:
    """What somebody wrote, changed or deleted; None for what nobody did."""
    if activity.sender.id == activity.me.id or activity.sender.id.startswith("28:"):
        return None  # bots are not talked to, that could go on for ever
    match activity.type, str(activity.data.get("eventType") or ""):
        case "message", _:
            return _written(activity, here, now)
        case "messageUpdate", "editMessage" | "undeleteMessage" | "":
            return _changed(activity, here, now)
        case "messageDelete", _:
            return _deleted(activity, now)
    return None


def _written(activity: Activity, here: Here, now: datetime) -> Incoming | None:
    address, text, addressed = address_of(activity), text_of(activity, here), is_addressed(activity, here)
    files = tuple(files_of(activity, here.limit))
    if not text and not files and not names_in(activity.mentioned(), activity.me.id):
        return None
    if activity.kind == "groupChat" and not addressed:
        return None  # people talk to each other there, also who has a case of their own
    return Incoming(
        address,
        sender_of(activity),
        text,
        source_id(address, activity.id),
        moment(activity, now),
        files,
        addressed=addressed,
        is_note=is_note(activity, text, here),
    )


def is_note(activity: Activity, text: str, here: Here) -> bool:
    """Whether an agent's words are a note behind the colleagues they begin with: here it is known where a name ends."""
    names = [one.name for one in activity.mentioned() if one.id != activity.me.id]
    in_room = activity.channel_id in here.team_rooms
    return in_room and bool(names) and note_in(behind(text, names), here.note_marks) is not None


def _changed(activity: Activity, here: Here, now: datetime) -> Incoming:
    address, text, at = address_of(activity), text_of(activity, here), moment(activity, now)
    original = source_id(address, activity.id)
    return Incoming(
        address,
        sender_of(activity),
        text,
        f"{original}#{at.timestamp():.3f}",
        at,
        edits=original,
        addressed=is_addressed(activity, here),
        is_note=is_note(activity, text, here),
    )


def _deleted(activity: Activity, now: datetime) -> Incoming:
    address = address_of(activity)
    original = source_id(address, activity.id)
    return Incoming(
        address,
        sender_of(activity),
        "",
        f"{original}{DELETED}",
        moment(activity, now),
        deletes=original,
        addressed=False,
    )


def is_addressed(activity: Activity, here: Here) -> bool:
    """Whether it is plainly meant for Lotse: in a chat with it, mentioning it, or a new post in a help channel."""
    if activity.kind == "personal" or names_in(activity.mentioned(), activity.me.id):
        return True
    is_post = activity.kind == "channel" and activity.root in (None, activity.id)
    return is_post and activity.channel_id in here.help_channels and is_new(activity)


def is_new(activity: Activity) -> bool:
    """Whether something was just written; a change of it can overtake it. Ids in channels tell the time in ms."""
    if activity.type == "message":
        return True
    if activity.at is None or not activity.id.isdecimal() or len(activity.id) > len("1795424400000"):
        return False
    return moment(activity, activity.at) - datetime.fromtimestamp(int(activity.id) / 1000, UTC) < SOON


def text_of(activity: Activity, here: Here) -> str:
    """What somebody wrote, as its author sees it, without the mention of ourselves. Agents who answer a note quote it,
    or forward one: that stays in their room."""
    in_room = activity.channel_id in here.team_rooms
    said = words_of(activity.text or "", activity.html(), activity.mentioned(), activity.me.id, quotes=not in_room)
    passed_on = (one for one in forwarded(activity) if not (in_room and note_in(one, here.note_marks) is not None))
    return "\n\n".join(filter(None, (said, *(quoted(one) for one in passed_on))))


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def forwarded(activity: Activity) -> Iterator[str]:
    """The words of messages that somebody forwards."""
    for one in (one for one in activity.attachments if one.type.lower() == FORWARDED):
        try:
            about = json.loads(one.content) if isinstance(one.content, str) else one.content
        except (ValueError, RecursionError):
            continue
        told = str(within(about, "originalMessageContent") or within(about, "messagePreview") or "")[:LONGEST_TEXT]
        yield tidy(from_html(told, (), ""))


def begins_with_us(activity: Activity) -> bool:
    """Whether a message begins with a mention of us: in a hand-off channel that is a search."""
    first = FIRST_AT.match(activity.text or "")
    if first is None:
        return False
    name, mentioned = unescape(first[1]), activity.mentioned()
    if any(one.name == name and one.id != activity.me.id for one in mentioned):
        return False
    return names_in([one for one in mentioned if one.name == name] or mentioned[:1], activity.me.id)


def moment(activity: Activity, now: datetime) -> datetime:
    """When it was written; times without a zone are UTC."""
    at = activity.at or now
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


# --- files ------------------------------------------------------------------------------------------------------------
def files_of(activity: Activity, limit: int) -> Iterator[File]:
    """The files of a message, still to be fetched; those that cannot be kept say why."""
    number = 0
    for one in activity.attachments:
        kind = one.type.lower()
        if kind == FILE:
            yield _file(one.name, "", within(one.content, "downloadUrl"), limit)
        elif kind.startswith("image/"):
            number += 1
            yield _file(one.name or f"image-{number}.{suffix_of(kind)}", kind, one.url, limit)
        elif kind == "reference":
            yield File(plain_name(one.name or "file"), "application/octet-stream", None, "in_channel")
        elif kind not in ELSEWHERE:  # a recording, a snippet: its author is told that it was not kept
            name = one.name or kind.rpartition(".")[2] or "file"
            yield File(plain_name(name), "application/octet-stream", None, "not_loaded")


def _file(name: str | None, media_type: str, address: object, limit: int) -> File:
    plain = plain_name(name or "file")
    source = address if isinstance(address, str) and address else None
    refused = why_refused(plain, 0, limit) or (None if source else "not_loaded")
    kind = media_type if "*" not in media_type and media_type else "application/octet-stream"
    return File(plain, kind, None, refused, source if refused is None else None)


def suffix_of(media_type: str) -> str:
    """`png` for `image/png` and for `image/*`, which Teams says of what was pasted."""
    told = media_type.partition("/")[2].partition(";")[0].partition("+")[0]
    return told if told.isalnum() else "png"


def within(value: object, *path: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
