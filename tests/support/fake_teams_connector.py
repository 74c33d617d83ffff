"""The Bot Connector of the fake Teams: posts, changes, members, teams. Functions are called under the lock."""

from collections.abc import Mapping
from typing import Any

from fake_teams_state import State
from fake_teams_things import Channel, Message, TeamsError
from teams_validator import MOST_BYTES, InvalidPayload, check_activity

Answer = tuple[int, Any]
Body = Mapping[str, Any]
DEFAULT_PAGE = 200


def create_conversation(state: State, body: Body, size: int) -> Answer:
    """A person's chat with the bot, or a new thread in a channel."""
    _check_size(size)
    channel_data = body.get("channelData") or {}
    if body.get("isGroup") or "channel" in channel_data:
        return _open_thread(state, body, channel_data)
    members = body.get("members") or []
    if len(members) != 1 or not isinstance(members[0], Mapping):
        raise TeamsError(400, "BadArgument", "Exactly one member is needed.")
    if not body.get("tenantId") and not (channel_data.get("tenant") or {}).get("id"):
        raise TeamsError(400, "BadArgument", "The tenant is missing.")
    person = state.person(str(members[0].get("id")))
    if person is None:
        raise TeamsError(400, "BadArgument", "Failed to decrypt pairwise id")
    chat = state.chat_of(person)
    state.pace.take(f"create {chat.id}")
    if not chat.installed and not person.blocked:
        if not state.meets(person):
            raise TeamsError(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        chat.installed = True
    state.check_access(chat)
    told = {"id": chat.id}
    if body.get("activity"):
        told["activityId"] = _posted(state, chat, None, body["activity"]).id
    return 201, told


def _open_thread(state: State, body: Body, channel_data: Body) -> Answer:
    name = (channel_data.get("channel") or {}).get("id")
    channel, root = state.found(str(name))
    state.check_access(channel)
    if channel.kind != "channel" or root:
        raise TeamsError(400, "BadArgument", "Not a channel.")
    if not body.get("activity"):
        raise TeamsError(400, "BadArgument", "A thread needs its first activity.")
    state.pace.take(channel.id)
    message = _posted(state, channel, None, body["activity"])
    return 201, {"id": state.conversation_of(message), "activityId": message.id}


def post(state: State, conversation: str, body: Body, size: int, reply_to: str | None = None) -> Answer:
    """A new message, or `typing`. reply_to: a message in whose thread it is to stand."""
    _check_size(size)
    channel, root = state.found(conversation)
    if reply_to is not None and channel.kind == "channel" and root is None:
        answered = channel.messages.get(reply_to)
        if answered is None:
            raise TeamsError(404, "ActivityNotFoundInConversation", "The activity was not found.")
        _, root = state.found(f"{channel.id};messageid={answered.thread}")
    state.check_access(channel)
    state.pace.take(f"{channel.id};messageid={root}" if root else channel.id)
    if body.get("type") == "typing":
        check_activity(body)
        channel.typing.setdefault(root or "", []).append(state.clock())
        return 202, {}
    return 201, {"id": _posted(state, channel, root, body).id}


def _posted(state: State, channel: Channel, root: str | None, body: Body) -> Message:
    check_activity(body)
    message = state.add_message(channel, None, root)
    message.take(body)
    return message


def update(state: State, conversation: str, activity: str, body: Body, size: int) -> Answer:
    """Another content for a message of the bot; what single persons saw instead is gone with it."""
    _check_size(size)
    message = _own(state, conversation, activity)
    check_activity(body)
    if body.get("type") != "message":
        raise InvalidPayload("BadSyntax", "/type", "only a message can take the place of a message")
    message.take(body)
    message.shown.clear()
    message.edits, message.edited_at = message.edits + 1, state.clock()
    return 200, {"id": message.id}


def delete(state: State, conversation: str, activity: str) -> Answer:
    """Take a message of the bot away."""
    message = _own(state, conversation, activity)
    message.deleted_at = state.clock()
    return 200, None


def _own(state: State, conversation: str, activity: str) -> Message:
    channel, root = state.found(conversation)
    state.check_access(channel)
    state.pace.take(f"{channel.id};messageid={root}" if root else channel.id)
    return state.own_message(channel, activity)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise InvalidPayload("MessageSizeTooBig", "", f"{size} bytes, at most {MOST_BYTES}")


def members(state: State, conversation: str) -> Answer:
    return 200, _roster(state, conversation)


def member(state: State, conversation: str, name: str) -> Answer:
    """One member, by either id."""
    for one in _roster(state, conversation):
        if name in (one["id"], one["aadObjectId"]):
            return 200, one
    raise TeamsError(404, "MemberNotFoundInConversation", "The member was not found.")


def paged_members(state: State, conversation: str, query: Mapping[str, str]) -> Answer:
    start, size = query.get("continuationToken") or "0", query.get("pageSize") or str(DEFAULT_PAGE)
    if not start.isdecimal() or not size.isdecimal() or not 1 <= int(size) <= 500:
        raise TeamsError(400, "BadArgument", "pageSize or continuationToken is wrong.")
    everybody, end = _roster(state, conversation), int(start) + int(size)
    told: dict[str, Any] = {"members": everybody[int(start) : end]}
    return 200, told | ({"continuationToken": str(end)} if end < len(everybody) else {})


def _roster(state: State, conversation: str) -> list[dict[str, str]]:
    channel, root = state.found(conversation)
    state.check_access(channel)
    state.reading.take(f"{channel.id};messageid={root}" if root else channel.id)
    return [state.people[one].as_member() for one in channel.people]


def team(state: State, name: str) -> Answer:
    found = state.teams.get(name)
    channel, _ = state.found(name)
    state.check_access(channel)
    if found is None:
        raise TeamsError(404, "ConversationNotFound", "Not a team.")
    counts = {"memberCount": len(found.members), "channelCount": len(_channels(state, name))}
    return 200, {**found.as_dict(), "tenantId": found.tenant, "type": "standard", **counts}


def team_channels(state: State, name: str) -> Answer:
    """The channels of a team; General has no name."""
    team(state, name)
    told = [{"id": one.id, **({"name": one.name} if one.name else {})} for one in _channels(state, name)]
    return 200, {"conversations": told}


def _channels(state: State, name: str) -> list[Channel]:
    return [one for one in state.channels.values() if one.team is not None and one.team.id == name]
