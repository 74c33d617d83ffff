"""Activities as Teams sends them to a bot, and what a person typed as Teams writes it."""

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from zoneinfo import ZoneInfo

from fake_teams_state import State
from fake_teams_things import Channel, Message, Person, StoredFile, iso

AT = re.compile(r"<at>(.*?)</at>", re.DOTALL)
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
ZONE = ZoneInfo("Europe/Berlin")


def at(name: str) -> str:
    """A mention inside a text."""
    return f"<at>{html.escape(name, quote=False)}</at>"


def mentions_in(state: State, text: str) -> list[dict[str, Any]]:
    """The entities for every `<at>name</at>` of somebody (or of the app) in a text, once for each place."""
    accounts = {state.app_name: {"id": state.bot_id, "name": state.app_name}}
    accounts |= {one.name: {"id": one.teams_id, "name": one.name} for one in state.people.values()}
    found = [(one.group(0), html.unescape(one.group(1))) for one in AT.finditer(text)]
    return [
        {"type": "mention", "mentioned": dict(accounts[name]), "text": said} for said, name in found if name in accounts
    ]


def html_of(text: str, entities: Sequence[Mapping[str, Any]], *, tag: str = "span") -> str:
    """What was typed as HTML. tag: mentions as activities (`span`) or Graph (`at`) write them."""
    known = {one["text"] for one in entities if one.get("type") == "mention"}
    parts, done, number = [], 0, 0
    for found in AT.finditer(text):
        if found.group(0) in known:
            parts += [_escaped(text[done : found.start()]), _mention(found.group(1), number, tag)]
            done, number = found.end(), number + 1
    parts.append(_escaped(text[done:]))
    return "".join(f"<p>{line or '&nbsp;'}</p>" for line in "".join(parts).split("\n"))


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _mention(name: str, number: int, tag: str) -> str:
    if tag == "at":
        return f'<at id="{number}">{name}</at>'
    return f'<span itemscope="" itemtype="http://schema.skype.com/Mention" itemid="{number}">{name}</span>'


def base(state: State, kind: str, person: Person | None, channel: Channel, root: str | None) -> dict[str, Any]:
    """What every activity holds. person: who did it; root: the thread, in channels."""
    now = state.clock()
    conversation: dict[str, Any] = {"conversationType": channel.kind, "tenantId": channel.tenant, "id": channel.id}
    if channel.kind != "personal":
        conversation["isGroup"] = True
    if channel.kind == "channel" and root:
        conversation["id"] = f"{channel.id};messageid={root}"
    told: dict[str, Any] = {
        "type": kind,
        "timestamp": iso(now),
        "id": f"f:{uuid4()}",
        "channelId": "msteams",
        "serviceUrl": state.service_url,
        "from": person.as_account() if person else {"id": channel.id},
        "conversation": conversation,
        "recipient": {"id": state.bot_id, "name": state.app_name},
        "channelData": channel_data(channel),
    }
    if person is not None:
        local = datetime.fromtimestamp(now, UTC).astimezone(ZONE).isoformat(timespec="milliseconds")
        told |= {"localTimestamp": local, "localTimezone": str(ZONE), "locale": person.locale}
        told["entities"] = [client_info(person)]
    return told


def client_info(person: Person) -> dict[str, str]:
    country = person.locale.rpartition("-")[2]
    where = {"country": country, "platform": "Windows", "timezone": str(ZONE)}
    return {"locale": person.locale, **where, "type": "clientInfo"}


def channel_data(channel: Channel) -> dict[str, Any]:
    told: dict[str, Any] = {"tenant": {"id": channel.tenant}}
    if channel.team is not None:
        told |= {"teamsChannelId": channel.id, "teamsTeamId": channel.team.id}
        told |= {"channel": {"id": channel.id}, "team": {"id": channel.team.id}}
    return told


def message_activity(state: State, message: Message) -> dict[str, Any]:
    """The activity of what a person wrote."""
    channel, author = state.channels[message.channel], message.author
    assert author is not None
    told = base(state, "message", author, channel, message.thread)
    told |= {"id": message.id, "timestamp": iso(message.at), "textFormat": "plain", "text": message.text}
    told["attachments"] = [*message.attachments]
    told["entities"] = [*message.entities, *told["entities"]]
    if not message.text:
        told.pop("text")
    return told


def changed_activity(state: State, message: Message, event: str) -> dict[str, Any]:
    """event: `editMessage`, `undeleteMessage` or `softDeleteMessage`."""
    told = message_activity(state, message)
    told["timestamp"] = iso(state.clock())
    told["channelData"] = {**told["channelData"], "eventType": event}
    if event == "softDeleteMessage":
        for name in ("text", "textFormat", "attachments", "locale"):
            told.pop(name, None)
        told["entities"] = []
    return told | {"type": "messageDelete" if event == "softDeleteMessage" else "messageUpdate"}


def attachments_for(
    state: State, channel: Channel, html_text: str, files: Sequence[StoredFile], images: Sequence[StoredFile]
) -> list[dict[str, Any]]:
    """The attachments of a person's message: files, inline images, and the copy of the text as HTML."""
    as_file = _download if channel.kind == "personal" else _reference
    told = [as_file(state, one) for one in files]
    told += [{"contentType": "image/*", "contentUrl": one.url} for one in images]
    shown = "".join(
        f'<p><img src="{one.url}" alt="image" itemtype="http://schema.skype.com/AMSImage"></p>' for one in images
    )
    return [*told, {"contentType": "text/html", "content": html_text + shown}]


def _download(state: State, file: StoredFile) -> dict[str, Any]:
    content = {"downloadUrl": file.url, "uniqueId": file.id, "fileType": _ending(file)}
    return {"contentType": DOWNLOAD, "content": content, "contentUrl": state.shared_address(file), "name": file.name}


def _reference(state: State, file: StoredFile) -> dict[str, Any]:
    return {"contentType": "reference", "contentUrl": state.shared_address(file), "name": file.name, "id": file.id}


def _ending(file: StoredFile) -> str:
    return file.name.rpartition(".")[2]


def invoke(
    state: State, name: str, person: Person, channel: Channel, root: str | None, value: Mapping[str, Any]
) -> dict[str, Any]:
    """A call whose answer the person waits for."""
    told = base(state, "invoke", person, channel, root)
    told["channelData"] = {**told["channelData"], "source": {"name": "message"}}
    return {**told, "name": name, "value": dict(value)}


def message_payload(state: State, message: Message) -> dict[str, Any]:
    """A message as a message extension gets it."""
    channel, author = state.channels[message.channel], message.author
    if author is None:
        bot = {"id": state.app_id, "displayName": state.app_name, "applicationIdentityType": "bot"}
        who: dict[str, Any] = {"application": bot, "user": None}
    else:
        user = {"userIdentityType": "aadUser", "id": author.id, "displayName": author.name}
        who = {"application": None, "user": user, "device": None, "conversation": None}
    parent = {"replyToId": message.root} if message.root else {}
    return {
        "id": message.id,
        **parent,
        "messageType": "message",
        "createdDateTime": iso(message.at),
        "lastModifiedDateTime": None if message.edited_at is None else iso(message.edited_at),
        "deleted": message.deleted,
        "subject": None,
        "importance": "normal",
        "locale": author.locale if author else "en-us",
        "linkToMessage": f"https://teams.microsoft.com/l/message/{quote(channel.id)}/{message.id}",
        "from": who,
        "body": {"contentType": "html", "content": html_of(message.text, message.entities, tag="at")},
        "attachments": [one for one in message.attachments if one.get("contentType") != "text/html"],
        "mentions": chat_mentions(state, message),
        "reactions": [],
    }


def chat_mentions(state: State, message: Message) -> list[dict[str, Any]]:
    """Whom a message mentions, as Graph tells it."""
    told: list[dict[str, Any]] = []
    for one in message.entities:
        if one.get("type") == "mention":
            text, who = html.unescape(one["text"][4:-5]), one["mentioned"]
            person = state.person(who["id"])
            by_id = {"user": {"id": person.id, "displayName": person.name}} if person else {}
            app = {} if person else {"application": {"id": state.app_id, "displayName": state.app_name}}
            told.append({"id": len(told), "mentionText": text, "mentioned": {**by_id, **app}})
    return told


def members_changed(
    state: State, by: Person, channel: Channel, *, added: Sequence[str] = (), removed: Sequence[str] = ()
) -> dict[str, Any]:
    """conversationUpdate for people or the app (its `28:` id) that came or went."""
    told = base(state, "conversationUpdate", by, channel, None)
    for name, ids in (("membersAdded", added), ("membersRemoved", removed)):
        if ids:
            told[name] = [_changed_member(state, one) for one in ids]
    told["channelData"] = _team_data(channel, "teamMemberAdded" if added else "teamMemberRemoved")
    told.pop("entities")
    return told


def _changed_member(state: State, name: str) -> dict[str, str]:
    person = state.person(name)
    return {"id": person.teams_id, "aadObjectId": person.id} if person else {"id": name}


def installation(state: State, by: Person, channel: Channel, action: str) -> dict[str, Any]:
    """installationUpdate: the app was added to or removed from a conversation."""
    told = base(state, "installationUpdate", by, channel, None)
    data = _team_data(channel, None) | {
        "settings": {"selectedChannel": {"id": channel.id}},
        "source": {"name": "message"},
    }
    return told | {"action": action, "channelData": data}


def _team_data(channel: Channel, event: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"tenant": {"id": channel.tenant}}
    if channel.team is not None:
        told["team"] = channel.team.as_dict()
        told |= {"eventType": event} if event else {}
    return told


def reaction(state: State, person: Person, message: Message, kind: str, *, added: bool) -> dict[str, Any]:
    """messageReaction to a message of the bot."""
    told = base(state, "messageReaction", person, state.channels[message.channel], message.thread)
    return told | {"replyToId": message.id, "reactionsAdded" if added else "reactionsRemoved": [{"type": kind}]}
