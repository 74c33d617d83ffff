"""The Web API of the fake Slack: chat.*, reactions.* and what is posted to a response_url."""

from typing import Any

from fake_slack_state import RESPONSE_URL_USES, State
from fake_slack_things import SCOPE_WORDS, Bot, Channel, Message, ResponseUrl, SlackError, reactions_dict

Args = dict[str, Any]


def need(bot: Bot, *scopes: str) -> None:
    """One of these scopes. Raises SlackError missing_scope."""
    if not bot.scopes & set(scopes):
        raise SlackError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(bot.scopes)))


def channel_of(state: State, bot: Bot, name: str) -> Channel:
    """A channel the bot may know of. Raises SlackError."""
    channel = state.channels.get(name)
    if channel is None or channel.team != bot.team:
        raise SlackError("channel_not_found")
    if channel.kind != "public" and bot.user_id not in channel.members:
        raise SlackError("channel_not_found")
    return channel


def writable(state: State, bot: Bot, name: str) -> Channel:
    """A channel the bot may write to; a user's id means the direct conversation. Raises SlackError."""
    user = state.users.get(name)
    if user is not None:
        if user.team != bot.team or user.deleted or user.is_bot:
            raise SlackError("channel_not_found" if user.team != bot.team or user.deleted else "cannot_dm_bot")
        return state.open_im(bot.user_id, name, bot.team)
    channel = channel_of(state, bot, name)
    if channel.archived:
        raise SlackError("is_archived")
    if bot.user_id not in channel.members and "chat:write.public" not in bot.scopes:
        raise SlackError("not_in_channel")
    return channel


def message_of(channel: Channel, ts: str, error: str = "message_not_found") -> Message:
    """A message that is there and no tombstone. Raises SlackError."""
    message = channel.messages.get(ts)
    if message is None or message.deleted:
        raise SlackError(error)
    return message


def post_message(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "chat:write")
    if any(args.get(name) for name in ("username", "icon_url", "icon_emoji")):
        need(bot, "chat:write.customize")
    channel = writable(state, bot, args["channel"])
    message = add_post(state, bot, channel, args)
    told = state.message_dict(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": told}


def add_post(state: State, bot: Bot, channel: Channel, args: Args, files: tuple[str, ...] = ()) -> Message:
    """A post of the app. A thread whose root is not there puts it into the channel itself, as Slack does."""
    state.pace.take(channel.id)
    root = channel.messages.get(args.get("thread_ts") or "")
    thread = root.root if root is not None else None
    subtype = "bot_message" if args.get("username") or args.get("icon_url") else None
    message = Message(
        state.new_ts(),
        channel.id,
        bot.team,
        bot.user_id,
        args.get("text") or args.get("initial_comment") or "",
        state.with_ids(args.get("blocks") or []),
        thread,
        args.get("metadata") or None,
        args.get("username"),
        args.get("icon_url"),
        bot.bot_id,
        state.app_id,
        "file_share" if files else subtype,
        files=list(files),
        at=state.clock(),
    )
    channel.messages[message.ts] = message
    state.statuses.pop((channel.id, message.root), None)  # an answer ends "is looking it up"
    return message


def update(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "chat:write")
    channel = writable(state, bot, args["channel"])
    message = message_of(channel, args["ts"])
    if message.bot_id != bot.bot_id:
        raise SlackError("cant_update_message")
    rewrite(state, message, args)
    message.edited = {"user": bot.bot_id, "ts": state.new_ts()}
    told = state.message_dict(message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": told}


def rewrite(state: State, message: Message, args: Args) -> None:
    """Replace what is given; blocks and metadata stay when they are not given."""
    message.text = args.get("text", message.text)
    if args.get("blocks") is not None:
        message.blocks = state.with_ids(args["blocks"])
    if args.get("metadata") is not None:
        message.metadata = args["metadata"] or None


def delete(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "chat:write")
    channel = writable(state, bot, args["channel"])
    message = message_of(channel, args["ts"])
    if message.bot_id != bot.bot_id:
        raise SlackError("cant_delete_message")
    remove(channel, message)
    return {"channel": channel.id, "ts": message.ts}


def remove(channel: Channel, message: Message) -> None:
    """Gone; a tombstone when replies hang on it."""
    message.deleted = True
    if not channel.replies(message.ts):
        del channel.messages[message.ts]


def post_ephemeral(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "chat:write")
    if any(args.get(name) for name in ("username", "icon_url", "icon_emoji")):
        need(bot, "chat:write.customize")
    channel = writable(state, bot, args["channel"])
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = add_ephemeral(state, bot, channel.id, args["user"], args)
    return {"message_ts": message.ts}


def add_ephemeral(state: State, bot: Bot, channel: str, user: str, args: Args) -> Message:
    message = Message(
        state.new_ts(),
        channel,
        bot.team,
        bot.user_id,
        args.get("text") or "",
        state.with_ids(args.get("blocks") or []),
        args.get("thread_ts"),
        username=args.get("username"),
        icon_url=args.get("icon_url"),
        bot_id=bot.bot_id,
        app_id=state.app_id,
        ephemeral_for=user,
        at=state.clock(),
    )
    state.ephemerals.append(message)
    return message


def get_permalink(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    channel = channel_of(state, bot, args["channel"])
    message = message_of(channel, args["message_ts"])
    link = f"{state.workspaces[bot.team].url}archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.root}&cid={channel.id}" if message.is_reply else ""
    return {"channel": channel.id, "permalink": link + thread}


def add_reaction(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "reactions:write")
    channel = channel_of(state, bot, args["channel"])
    if channel.archived:
        raise SlackError("is_archived")
    if bot.user_id not in channel.members:
        raise SlackError("not_in_channel")
    users = message_of(channel, args["timestamp"]).reactions.setdefault(args["name"], [])
    if bot.user_id in users:
        raise SlackError("already_reacted")
    users.append(bot.user_id)
    return {}


def remove_reaction(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "reactions:write")
    message = message_of(channel_of(state, bot, args.get("channel", "")), args.get("timestamp", ""))
    users = message.reactions.get(args["name"], [])
    if bot.user_id not in users:
        raise SlackError("no_reaction")
    users.remove(bot.user_id)
    return {}


def get_reactions(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "reactions:read")
    message = message_of(channel_of(state, bot, args.get("channel", "")), args.get("timestamp", ""))
    told = {**state.message_dict(message), "reactions": reactions_dict(message)}
    return {"type": "message", "channel": message.channel, "message": told}


def respond(state: State, target: ResponseUrl | None, args: Args) -> None:
    """What a post to a response_url does. Raises SlackError when there is none such or it is used up."""
    if target is None:
        raise SlackError("invalid_url")
    if state.clock() > target.expires:
        raise SlackError("expired_url")
    if target.uses >= RESPONSE_URL_USES:
        raise SlackError("used_url")
    target.uses += 1
    target.posts.append(args)
    answer_beside(state, target, args)


def answer_beside(state: State, target: ResponseUrl, args: Args) -> None:
    """Replace or delete the message the interaction came from, or say something beside it."""
    bot, message = state.bot_of(target.team), target.message
    if args.get("delete_original") and message is not None:
        if message.ephemeral_for:
            state.ephemerals = [one for one in state.ephemerals if one is not message]
        else:
            remove(state.channels[message.channel], message)
    elif args.get("replace_original") and message is not None:
        rewrite(state, message, {"blocks": [], **args})
    elif args.get("response_type") == "in_channel":
        add_post(state, bot, state.channels[target.channel], args)
    else:
        add_ephemeral(state, bot, target.channel, target.user, args)


def history_scope(bot: Bot, channel: Channel) -> None:
    need(bot, f"{SCOPE_WORDS[channel.kind]}:history")


METHODS = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "reactions.add": add_reaction,
    "reactions.remove": remove_reaction,
    "reactions.get": get_reactions,
}
