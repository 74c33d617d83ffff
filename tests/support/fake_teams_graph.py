"""The part of Microsoft Graph that a bot may read: the messages of a channel. Functions are called under the lock."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fake_teams_activities import chat_mentions, html_of
from fake_teams_state import State
from fake_teams_things import CARD, Channel, Message, TeamsError, iso

Answer = tuple[int, Any]
Query = Mapping[str, str]
MOST = 50


def messages(state: State, group: str, name: str, query: Query) -> Answer:
    """What stands in a channel outside any thread; first, whose thread was changed last."""
    channel = _channel(state, group, name)
    changed: dict[str, float] = {}
    for one in channel.messages.values():
        changed[one.thread] = max(changed.get(one.thread, 0.0), one.at, one.edited_at or 0.0, one.deleted_at or 0.0)
    roots = [one for one in channel.messages.values() if not one.is_reply]
    roots.sort(key=lambda one: (changed[one.id], int(one.id)), reverse=True)
    return _page(state, f"teams/{group}/channels/{quote(name)}/messages", channel, roots, query)


def replies(state: State, group: str, name: str, message: str, query: Query) -> Answer:
    """What stands below a message, newest first."""
    channel = _channel(state, group, name)
    root = _message(channel, message)
    below = [one for one in reversed(channel.messages.values()) if one.root == root.id]
    return _page(state, f"teams/{group}/channels/{quote(name)}/messages/{message}/replies", channel, below, query)


def one_message(state: State, group: str, name: str, message: str) -> Answer:
    channel = _channel(state, group, name)
    return 200, as_chat_message(state, channel, _message(channel, message))


def one_reply(state: State, group: str, name: str, root: str, message: str) -> Answer:
    channel = _channel(state, group, name)
    found = _message(channel, message)
    if found.root != root:
        raise TeamsError(404, "NotFound", "NotFound")
    return 200, as_chat_message(state, channel, found)


def _channel(state: State, group: str, name: str) -> Channel:
    channel = state.channels.get(name)
    if channel is None or channel.team is None or channel.team.group_id != group:
        raise TeamsError(404, "NotFound", "Team or channel was not found.")
    if not channel.has_bot or not channel.hears_all:
        raise TeamsError(403, "Forbidden", "Missing role permissions on the request: ChannelMessage.Read.Group.")
    return channel


def _message(channel: Channel, name: str) -> Message:
    if name not in channel.messages:
        raise TeamsError(404, "NotFound", "NotFound")
    return channel.messages[name]


def _page(state: State, path: str, channel: Channel, found: list[Message], query: Query) -> Answer:
    top, start = query.get("$top", "20"), query.get("$skiptoken", "0")
    if not top.isdecimal() or not 1 <= int(top) <= MOST or not start.isdecimal():
        raise TeamsError(400, "BadRequest", f"$top must be from 1 to {MOST}")
    if unknown := set(query) - {"$top", "$skiptoken"}:
        raise TeamsError(400, "BadRequest", f"not supported: {sorted(unknown)}")
    end = int(start) + int(top)
    shown = found[int(start) : end]
    told: dict[str, Any] = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#messages",
        "@odata.count": len(shown),
        "value": [as_chat_message(state, channel, one) for one in shown],
    }
    if end < len(found):
        rest = urlencode({"$top": top, "$skiptoken": end}, safe="$")
        told["@odata.nextLink"] = f"{state.base}graph/v1.0/{path}?{rest}"
    return 200, told


def as_chat_message(state: State, channel: Channel, message: Message) -> dict[str, Any]:
    """A message as Graph tells it; of a deleted one nothing but that it was there."""
    content, attachments = ("", []) if message.deleted else _content(message)
    return {
        "id": message.id,
        "replyToId": message.root,
        "etag": message.id,
        "messageType": "message",
        "createdDateTime": iso(message.at),
        "lastModifiedDateTime": iso(message.edited_at or message.at),
        "lastEditedDateTime": None if message.edited_at is None else iso(message.edited_at),
        "deletedDateTime": None if message.deleted_at is None else iso(message.deleted_at),
        "subject": None,
        "summary": message.summary or None,
        "chatId": None,
        "importance": "normal",
        "locale": "en-us",
        "webUrl": f"https://teams.microsoft.com/l/message/{quote(channel.id)}/{message.id}",
        "from": _author(state, message),
        "body": {"contentType": "html", "content": content},
        "channelIdentity": {"teamId": channel.team.group_id if channel.team else None, "channelId": channel.id},
        "attachments": attachments,
        "mentions": [] if message.deleted else chat_mentions(state, message),
        "reactions": [],
    }


def _content(message: Message) -> tuple[str, list[dict[str, Any]]]:
    """(html, attachments): cards stand in the html as references."""
    attachments: list[dict[str, Any]] = []
    for number, one in enumerate(message.attachments):
        kind = one.get("contentType")
        if kind == CARD:
            content = json.dumps(one["content"], ensure_ascii=False)
            attachments.append({"id": f"{message.id}-{number}", "contentType": kind, "content": content})
        elif kind != "text/html":
            told = {"contentUrl": one.get("contentUrl"), "name": one.get("name"), "content": None}
            attachments.append({"id": f"{message.id}-{number}", "contentType": kind, **told})
    text = html_of(message.text, message.entities, tag="at") if message.text else ""
    return text + "".join(f'<attachment id="{one["id"]}"></attachment>' for one in attachments), attachments


def _author(state: State, message: Message) -> dict[str, Any]:
    if message.author is None:
        bot = {"id": state.app_id, "displayName": state.app_name, "applicationIdentityType": "bot"}
        return {"application": bot, "user": None, "device": None}
    person = message.author
    user = {"id": person.id, "displayName": person.name, "userIdentityType": "aadUser", "tenantId": person.tenant}
    return {"application": None, "user": user, "device": None}
