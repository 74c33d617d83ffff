"""The Web API of the fake Slack: conversations.*, users.* and auth.test, with their pages."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from fake_slack_chat import Args, channel_of, history_scope, need
from fake_slack_state import State
from fake_slack_things import KIND_TYPES, SCOPE_WORDS, Bot, Channel, Message, SlackError

DEFAULT_PAGE, LARGEST_PAGE = 100, 999


def cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def opened(text: str, prefix: str) -> str:
    """What a cursor carries. Raises SlackError invalid_cursor."""
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SlackError("invalid_cursor") from None
    if not plain.startswith(prefix):
        raise SlackError("invalid_cursor")
    return plain.removeprefix(prefix)


def page(items: Sequence[Any], args: Args) -> tuple[Sequence[Any], str]:
    """(the items of this page, cursor of the next or empty)."""
    start = 0
    if args.get("cursor"):
        start = int(opened(args["cursor"], "offset:"))
    end = start + min(args.get("limit") or DEFAULT_PAGE, LARGEST_PAGE)
    return items[start:end], cursor(f"offset:{end}") if end < len(items) else ""


def auth_test(state: State, bot: Bot, _: Args) -> dict[str, Any]:
    workspace = state.workspaces[bot.team]
    ids = {"team_id": bot.team, "user_id": bot.user_id, "bot_id": bot.bot_id, "is_enterprise_install": False}
    return {"url": workspace.url, "team": workspace.name, "user": "lotse", **ids}


def open_conversation(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    if args.get("channel"):
        channel = channel_of(state, bot, args["channel"])
    else:
        users = [one for one in args.get("users", "").split(",") if one]
        channel = _conversation_with(state, bot, users)
    told = channel.as_dict(bot.user_id) if args.get("return_im") else {"id": channel.id}
    return {"channel": told}


def _conversation_with(state: State, bot: Bot, users: list[str]) -> Channel:
    need(bot, "im:write" if len(users) == 1 else "mpim:write")
    if not users:
        raise SlackError("users_list_not_supplied")
    for user in users:
        if user not in state.users or state.users[user].team != bot.team:
            raise SlackError("user_not_found")
        if state.users[user].deleted:
            raise SlackError("user_disabled")
    if len(users) == 1:
        return state.open_im(bot.user_id, users[0], bot.team)
    members = [bot.user_id, *users]
    for channel in state.channels.values():
        if channel.kind == "mpim" and set(channel.members) == set(members):
            return channel
    made = Channel(state.new_id("C"), bot.team, "mpdm-lotse", "mpim", members)
    state.channels[made.id] = made
    return made


def info(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    channel = channel_of(state, bot, args["channel"])
    need(bot, f"{SCOPE_WORDS[channel.kind]}:read")
    return {"channel": channel.as_dict(bot.user_id)}


def list_channels(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    visible = [one for one in state.channels.values() if one.kind == "public" or bot.user_id in one.members]
    return _listed(visible, bot, args)


def users_conversations(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    user = args.get("user") or bot.user_id
    mine = [one for one in state.channels.values() if user in one.members]
    visible = [one for one in mine if one.kind == "public" or bot.user_id in one.members]
    return _listed(visible, bot, args)


def _listed(channels: list[Channel], bot: Bot, args: Args) -> dict[str, Any]:
    types = args.get("types", "public_channel").split(",")
    kinds = [kind for kind, name in KIND_TYPES.items() if name in types]
    for kind in kinds:
        need(bot, f"{SCOPE_WORDS[kind]}:read")
    found = [one for one in channels if one.team == bot.team and one.kind in kinds]
    if args.get("exclude_archived"):
        found = [one for one in found if not one.archived]
    shown, following = page(found, args)
    told = [one.as_dict(bot.user_id) for one in shown]
    return {"channels": told, "response_metadata": {"next_cursor": following}}


def members(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    channel = channel_of(state, bot, args["channel"])
    need(bot, f"{SCOPE_WORDS[channel.kind]}:read")
    shown, following = page(channel.members, args)
    return {"members": list(shown), "response_metadata": {"next_cursor": following}}


def join(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "channels:join")
    channel = channel_of(state, bot, args["channel"])
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if bot.user_id not in channel.members:
        channel.members.append(bot.user_id)
    return {"channel": channel.as_dict(bot.user_id)}


def history(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    """Newest first; replies are not part of it."""
    channel = _readable(state, bot, args)
    found = [one for one in channel.messages.values() if not one.is_reply and _within(one, args)]
    found.sort(key=lambda one: one.ts, reverse=True)
    return _messages(state, found, args)


def replies(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    """Oldest first, the root before everything, whatever the bounds say."""
    channel = _readable(state, bot, args)
    root = channel.messages.get(args["ts"])
    if root is None or root.is_reply:
        raise SlackError("thread_not_found")
    found = [one for one in channel.replies(root.ts) if _within(one, args)]
    return _messages(state, [root, *sorted(found, key=lambda one: one.ts)], args)


def _readable(state: State, bot: Bot, args: Args) -> Channel:
    channel = channel_of(state, bot, args["channel"])
    history_scope(bot, channel)
    if bot.user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _within(message: Message, args: Args) -> bool:
    at, inclusive = float(message.ts), bool(args.get("inclusive"))
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    return oldest <= at <= latest if inclusive else oldest < at < latest


def _messages(state: State, found: list[Message], args: Args) -> dict[str, Any]:
    """A page; its cursor names a message, so that what is posted meanwhile moves nothing."""
    start = 0
    if args.get("cursor"):
        last = opened(args["cursor"], "next_ts:")
        start = next((number + 1 for number, one in enumerate(found) if one.ts == last), len(found))
    end = start + min(args.get("limit") or DEFAULT_PAGE, LARGEST_PAGE)
    told = [state.message_dict(one, metadata=bool(args.get("include_all_metadata"))) for one in found[start:end]]
    following = cursor(f"next_ts:{found[end - 1].ts}") if end < len(found) else ""
    more = {"response_metadata": {"next_cursor": following}} if following else {}
    return {"messages": told, "has_more": bool(following), **more}


def user_info(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "users:read")
    user = state.users.get(args["user"])
    if user is None or user.team != bot.team:
        raise SlackError("user_not_found")
    told = user.as_dict(locale=bool(args.get("include_locale")))
    if "users:read.email" not in bot.scopes:
        told["profile"].pop("email", None)
    return {"user": told}


METHODS = {
    "auth.test": auth_test,
    "conversations.open": open_conversation,
    "conversations.info": info,
    "conversations.list": list_channels,
    "conversations.members": members,
    "conversations.join": join,
    "conversations.history": history,
    "conversations.replies": replies,
    "users.conversations": users_conversations,
    "users.info": user_info,
}
