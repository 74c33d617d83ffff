"""The Web API of the fake Slack: views.*, files.*, assistant.threads.* and oauth.v2.access."""

import mimetypes
from typing import Any

from fake_slack_chat import Args, add_post, channel_of, need, writable
from fake_slack_state import State
from fake_slack_things import Bot, SlackError, StoredFile, View

LARGEST_STACK = 3


def open_view(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    trigger = state.use_trigger(args["trigger_id"], bot.team)
    for one in state.views.values():
        if one.user == trigger.user:
            one.open = False
    made = new_view(state, bot.team, trigger.user, args["view"])
    return {"view": state.view_dict(made)}


def push_view(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    trigger = state.use_trigger(args["trigger_id"], bot.team)
    made = push_on(state, bot.team, trigger.user, args["view"])
    return {"view": state.view_dict(made)}


def push_on(state: State, team: str, user: str, view: dict[str, Any]) -> View:
    """On top of what this person has open. Raises SlackError push_limit_reached."""
    below = [one for one in state.views.values() if one.user == user and one.open]
    if not below:
        raise SlackError("not_found")
    if len(below) >= LARGEST_STACK:
        raise SlackError("push_limit_reached")
    made = new_view(state, team, user, view)
    made.root_id, made.previous_id = below[-1].root_id, below[-1].id
    return made


def new_view(state: State, team: str, user: str, view: dict[str, Any]) -> View:
    view_id = state.new_id("V")
    made = View(view_id, team, user, _named(state, view), _hash(state), view_id)
    state.views[view_id] = made
    return made


def _named(state: State, view: dict[str, Any]) -> dict[str, Any]:
    return {**view, "blocks": state.with_ids(view["blocks"])}


def _hash(state: State) -> str:
    return f"{state.new_ts()}.fake"


def update_view(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    known = [one for one in state.views.values() if one.team == bot.team and one.open]
    if args.get("view_id"):
        found = [one for one in known if one.id == args["view_id"]]
    else:
        found = [one for one in known if one.view.get("external_id", "") == args.get("external_id")]
    if not found:
        raise SlackError("not_found")
    _check_hash(found[0], args)
    replace_view(state, found[0], args["view"])
    return {"view": state.view_dict(found[0])}


def replace_view(state: State, one: View, view: dict[str, Any]) -> None:
    one.view, one.hash = _named(state, view), _hash(state)


def _check_hash(one: View, args: Args) -> None:
    if args.get("hash") and args["hash"] != one.hash:
        raise SlackError("hash_conflict")


def publish_view(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    user = state.users.get(args["user_id"])
    if user is None or user.team != bot.team:
        raise SlackError("user_not_found")
    home = state.homes.get(user.id)
    if home is None:
        view_id = state.new_id("V")
        home = View(view_id, bot.team, user.id, _named(state, args["view"]), _hash(state), view_id)
        state.homes[user.id] = home
    else:
        _check_hash(home, args)
        replace_view(state, home, args["view"])
    return {"view": state.view_dict(home)}


def get_upload_url(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "files:write")
    mimetype = mimetypes.guess_type(args["filename"])[0] or "application/octet-stream"
    file = state.add_file(bot.team, bot.user_id, args["filename"], None, mimetype, args["length"])
    url = f"{state.base}upload/v1/{file.id}-{state.new_ts().replace('.', '')}"
    state.uploads[url.rpartition("/")[2]] = file.id
    return {"upload_url": url, "file_id": file.id}


def complete_upload(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "files:write")
    files = [_uploaded(state, bot, one["id"]) for one in args["files"]]
    channel = writable(state, bot, args["channel_id"]) if args.get("channel_id") else None
    for file, one in zip(files, args["files"], strict=True):
        file.title = one.get("title") or file.name
        if channel is not None:
            file.channels.append(channel.id)
    if channel is not None:
        add_post(state, bot, channel, args, tuple(file.id for file in files))
    return {"files": [state.file_dict(file) for file in files]}


def _uploaded(state: State, bot: Bot, file_id: str) -> StoredFile:
    file = state.files.get(file_id)
    if file is None or file.team != bot.team or file.content is None:
        raise SlackError("file_not_found")
    return file


def file_info(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "files:read")
    file = state.files.get(args["file"])
    if file is None or file.team != bot.team:
        raise SlackError("file_not_found")
    told = state.file_dict(file)
    if file.access == "check_file_info":  # such a file is told in full here, and only here
        file.access = "visible"
        told = state.file_dict(file)
        file.access = "check_file_info"
    return {"file": told, "comments": [], "response_metadata": {"next_cursor": ""}}


def set_status(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "assistant:write", "chat:write")
    channel_of(state, bot, args["channel_id"])
    state.statuses[args["channel_id"], args["thread_ts"]] = args["status"]
    return {}


def set_prompts(state: State, bot: Bot, args: Args) -> dict[str, Any]:
    need(bot, "assistant:write")
    channel_of(state, bot, args["channel_id"])
    state.prompts[args["channel_id"], args.get("thread_ts")] = args
    return {}


def oauth_access(state: State, args: Args) -> dict[str, Any]:
    """Exchange a code, once, for a new token of the workspace it was given for."""
    if (args.get("client_id"), args.get("client_secret")) != (state.client_id, state.client_secret):
        raise SlackError("bad_client_secret" if args.get("client_id") == state.client_id else "invalid_client_id")
    team = state.codes.pop(args["code"], None)
    if team is None:
        raise SlackError("invalid_code")
    bot = state.install(team)
    names = {"app_id": state.app_id, "bot_user_id": bot.user_id, "enterprise": None, "is_enterprise_install": False}
    token = {"access_token": bot.token, "token_type": "bot", "scope": ",".join(sorted(bot.scopes))}
    return {**names, **token, "team": {"id": team, "name": state.workspaces[team].name}, "authed_user": {"id": ""}}


METHODS = {
    "views.open": open_view,
    "views.push": push_view,
    "views.update": update_view,
    "views.publish": publish_view,
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": file_info,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setSuggestedPrompts": set_prompts,
}
