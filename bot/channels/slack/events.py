"""What Slack brings, as the port's values: pure translation, tested with recorded payloads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.attachments import plain_name, why_refused
from bot.channels.port import DELETED, Address, File, Incoming, Sender
from bot.channels.slack.text import mention_of, mentions, to_markdown, with_emoji

SPOKEN = {None, "file_share", "thread_broadcast", "me_message"}
SOON = 60.0  # seconds in which the edit of a message can come before the message itself
DM = "@"  # the direct messages with a person are a channel named after them: `@U123`


@dataclass(frozen=True)
class Here:
    """What is needed to read a workspace's events: its id, our bot user in it, the channels where every message is a
    question, the names of people as far as they are known, and the bytes a file may have."""

    team: str
    me: str
    help_channels: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    limit: int = 10 * 1024 * 1024


def to_incoming(event: Mapping[str, Any], here: Here) -> Incoming | None:
    """A `message` or `app_mention` event; None for what nobody wrote (bots, joins, unfurls, our own posts).

    The two events of one mention have the same source_id.
    """
    match event.get("subtype"):
        case "message_changed":
            return _changed(event, here)
        case "message_deleted":
            return _deleted(event, here)
        case subtype if subtype in SPOKEN and is_person(event, here):
            return _written(event, here)
    return None


def is_person(message: Mapping[str, Any], here: Here) -> bool:
    """Whether a person wrote it; other bots are not talked to, that could go on for ever."""
    return bool(message.get("user")) and not message.get("bot_id") and message["user"] != here.me


def address_of(channel: str, thread: str, user: str, team: str) -> Address:
    """Where something stands. Direct messages are named after the person, so that they are known before Slack is asked
    for their channel."""
    if channel.startswith("D"):
        return Address("slack", f"{DM}{user}", thread, {"team": team, "dm": channel})
    return Address("slack", channel, thread, {"team": team, "shared": "yes"})  # others read it, too


def source_id(channel: str, ts: str) -> str:
    """A message's id, unique in all of Slack."""
    return f"{channel}/{ts}"


def _written(event: Mapping[str, Any], here: Here) -> Incoming:
    channel, ts, user, text = event["channel"], event["ts"], event["user"], event.get("text") or ""
    in_dm, root = channel.startswith("D"), "thread_ts" not in event
    mentioned = event.get("type") == "app_mention" or mentions(text, here.me)
    return Incoming(
        address_of(channel, event.get("thread_ts") or ts, user, here.team),
        Sender("slack", user, ""),
        as_read(event, here),
        source_id(channel, ts),
        moment(ts),
        tuple(files_of(event, here.limit)),
        addressed=in_dm or mentioned or (root and channel in here.help_channels),
        loose=in_dm and root,
    )


def as_read(message: Mapping[str, Any], here: Here) -> str:
    """What somebody wrote, as its author sees it."""
    text = with_emoji(message.get("text") or "", message.get("blocks"))
    return to_markdown(text, me=here.me, names=here.names)


def _changed(event: Mapping[str, Any], here: Here) -> Incoming | None:
    """A new wording. Slack also says so when a link was unfurled or a thread has grown: then the words are the same."""
    new, old, channel = event["message"], event.get("previous_message") or {}, event["channel"]
    if new.get("subtype") == "tombstone":
        return _deleted({"channel": channel, "deleted_ts": new["ts"], "previous_message": old}, here)
    if not is_person(new, here) or new.get("text") == old.get("text"):
        return None
    changed_at = (new.get("edited") or {}).get("ts") or event.get("event_ts") or new["ts"]
    return Incoming(
        address_of(channel, new.get("thread_ts") or new["ts"], new["user"], here.team),
        Sender("slack", new["user"], ""),
        as_read(new, here),
        f"{source_id(channel, new['ts'])}#{changed_at}",
        moment(changed_at),
        edits=source_id(channel, new["ts"]),
        addressed=is_for_us(new, channel, here, soon=float(changed_at) - float(new["ts"]) < SOON),
        loose=channel.startswith("D") and "thread_ts" not in new,
    )


def is_for_us(message: Mapping[str, Any], channel: str, here: Here, *, soon: bool) -> bool:
    """Whether a message that was edited is meant for Lotse, should it be the first we hear of it: it mentions us, is in
    the direct messages, or was written a moment ago where every post is a question, and its edit has overtaken it."""
    is_post = message.get("thread_ts") in (None, message["ts"])
    asked = is_post and channel in here.help_channels and soon
    return channel.startswith("D") or mentions(message.get("text") or "", here.me) or asked


def _deleted(event: Mapping[str, Any], here: Here) -> Incoming | None:
    old, channel, ts = event.get("previous_message") or {}, event["channel"], event["deleted_ts"]
    if not is_person(old, here):
        return None
    return Incoming(
        address_of(channel, old.get("thread_ts") or ts, old["user"], here.team),
        Sender("slack", old["user"], ""),
        "",
        f"{source_id(channel, ts)}{DELETED}",
        moment(event.get("event_ts") or ts),
        deletes=source_id(channel, ts),
        addressed=False,
    )


def files_of(message: Mapping[str, Any], limit: int) -> Iterator[File]:
    """The files of a message, still to be fetched; those that cannot be kept say why."""
    for file in message.get("files") or ():
        name = plain_name(str(file.get("name") or file.get("title") or "file"))
        source = file.get("url_private_download") or file.get("url_private")
        refused = why_refused(name, int(file.get("size") or 0), limit) or (None if source else "not_loaded")
        media_type = str(file.get("mimetype") or "application/octet-stream")
        yield File(name, media_type, None, refused, source if refused is None else None)


def moment(ts: str) -> datetime:
    """Slack's timestamps are ids too: seconds since 1970, with six digits behind the point."""
    return datetime.fromtimestamp(float(ts), UTC)


def is_search(event: Mapping[str, Any], here: Here) -> bool:
    """Whether an event of a team room is a search, or a change of one: what was written begins with a mention of us."""
    written = event.get("previous_message") or event.get("message") or event
    return mention_of(here.me).match(str(written.get("text") or "").lstrip()) is not None


def own_post_deleted(event: Mapping[str, Any], bot_id: str) -> str | None:
    """The timestamp of our own post that was deleted, when an event says so; None otherwise."""
    old, new = event.get("previous_message") or {}, event.get("message") or {}
    gone = event.get("subtype") == "message_deleted" or new.get("subtype") == "tombstone"
    return str(old["ts"]) if gone and old.get("bot_id") == bot_id and "ts" in old else None
