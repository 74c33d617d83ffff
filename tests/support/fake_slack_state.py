"""What the fake Slack knows, behind one lock, and how its Web API and its events tell it."""

import time
from collections.abc import Callable
from itertools import count
from threading import RLock
from typing import Any
from urllib.parse import quote

from fake_slack_faults import Pace
from fake_slack_things import (
    Bot,
    Channel,
    Message,
    ResponseUrl,
    SlackError,
    StoredFile,
    Trigger,
    User,
    View,
    Workspace,
    reactions_dict,
)

TRIGGER_LIFE = 3.0  # seconds
RESPONSE_URL_LIFE, RESPONSE_URL_USES = 30 * 60.0, 5
ALL_SCOPES = frozenset(
    """app_mentions:read assistant:write channels:history channels:join channels:read chat:write chat:write.customize
    commands files:read files:write groups:history groups:read im:history im:read im:write mpim:history mpim:read
    mpim:write reactions:read reactions:write users:read users:read.email""".split()  # noqa: SIM905
)


class State:
    """All of it. Whoever reads or changes it holds `lock`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock, self.lock = clock, RLock()
        self.pace = Pace(clock)
        self.base = ""
        self.app_id, self.signing_secret = "A0LOTSE01", "8f742231b10e8888abcd99yyyzzz85a5"
        self.app_token, self.client_id, self.client_secret = "xapp-1-A0LOTSE01-1-fake", "1.2", "client-secret"
        self.verification_token = "legacy-token"
        self.workspaces: dict[str, Workspace] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, StoredFile] = {}
        self.uploads: dict[str, str] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.ephemerals: list[Message] = []
        self.prompts: dict[tuple[str, str | None], dict[str, Any]] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.codes: dict[str, str] = {}
        self.selections: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._last_micros = 0

    def new_id(self, prefix: str) -> str:
        return f"{prefix}0{next(self._numbers):08X}"

    def new_ts(self) -> str:
        """A timestamp, later than every one before."""
        with self.lock:
            self._last_micros = max(int(self.clock() * 1_000_000), self._last_micros + 1)
            return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def install(self, team: str, scopes: frozenset[str] | set[str] = ALL_SCOPES) -> Bot:
        """The app in this workspace with a new token; its bot user stays the same."""
        workspace = self.workspaces[team]
        old = workspace.bot
        user = old.user_id if old else self.new_id("U")
        self.users.setdefault(user, User(user, team, "Lotse", "lotse", "en-US", is_bot=True))
        bot_id = old.bot_id if old else self.new_id("B")
        workspace.bot = Bot(f"xoxb-{team}-{next(self._numbers)}", user, bot_id, team, set(scopes))
        return workspace.bot

    def bot_of(self, team: str) -> Bot:
        bot = self.workspaces[team].bot
        assert bot is not None, f"the app is not installed in {team}"
        return bot

    def with_token(self, token: str) -> Bot | None:
        bots = (one.bot for one in self.workspaces.values())
        return next((bot for bot in bots if bot and bot.token == token), None)

    def open_im(self, one: str, other: str, team: str) -> Channel:
        """The direct conversation of two, made when it is not there."""
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == {one, other}:
                return channel
        made = Channel(self.new_id("D"), team, "directmessage", "im", [one, other])
        self.channels[made.id] = made
        return made

    def new_trigger(self, user: str, team: str) -> str:
        name = f"{next(self._numbers)}.{next(self._numbers)}.{next(self._numbers):032x}"
        self.triggers[name] = Trigger(user, team, self.clock() + TRIGGER_LIFE)
        return name

    def use_trigger(self, name: str, team: str) -> Trigger:
        """The trigger, used up. Raises SlackError when it is unknown, too old or was used."""
        trigger = self.triggers.get(name)
        if trigger is None or trigger.team != team:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, user: str, team: str, channel: str, message: Message | None) -> str:
        url = f"{self.base}actions/{team}/{next(self._numbers)}/{next(self._numbers):024x}"
        expires = self.clock() + RESPONSE_URL_LIFE
        self.response_urls[url] = ResponseUrl(user, team, channel, message, expires)
        return url

    def add_file(self, team: str, user: str, name: str, content: bytes | None, mimetype: str, size: int) -> StoredFile:
        file_id = self.new_id("F")
        url = f"{self.base}files-pri/{team}-{file_id}/{quote(name.replace(' ', '_'))}"
        self.files[file_id] = StoredFile(file_id, team, user, name, name, content, size, mimetype, url)
        return self.files[file_id]

    def file_dict(self, file: StoredFile) -> dict[str, Any]:
        """As files.info and messages tell it; nothing but the id when the app may not see it (file_access)."""
        if file.access != "visible":
            return {"id": file.id, "file_access": file.access, "mode": file.access, "created": 0, "user": file.user}
        kind = file.name.rpartition(".")[2]
        return {
            "id": file.id,
            "created": 0,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": kind,
            "user": file.user,
            "user_team": file.team,
            "size": file.size,
            "mode": "hosted",
            "is_external": False,
            "is_public": bool(file.channels),
            "url_private": file.url,
            "url_private_download": file.url.replace("/files-pri/", "/files-pri/download/"),
            "permalink": f"{self.workspaces[file.team].url}files/{file.user}/{file.id}/{file.name}",
            "channels": list(file.channels),
            "has_rich_preview": False,
            "file_access": file.access,
        }

    def message_dict(self, message: Message, *, metadata: bool = False) -> dict[str, Any]:
        """As the Web API and events tell it."""
        if message.deleted:
            gone = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
            told: dict[str, Any] = {**gone, "text": "This message was deleted.", "ts": message.ts}
            return told | {"thread_ts": message.root} | self._thread_dict(message)
        given = {
            "subtype": message.subtype,
            "client_msg_id": message.client_msg_id,
            "bot_id": message.bot_id,
            "app_id": message.app_id,
            "username": message.username,
            "icons": {"image_48": message.icon_url} if message.icon_url else None,
            "edited": message.edited,
            "thread_ts": message.thread_ts,
            "metadata": message.metadata if metadata else None,
        }
        told = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": message.team}
        told |= {key: value for key, value in given.items() if value is not None}
        if message.blocks:
            told["blocks"] = message.blocks
        if message.files:
            told["files"] = [self.file_dict(self.files[one]) for one in message.files]
            told |= {"upload": False, "display_as_bot": False}
        if message.reactions:
            told["reactions"] = reactions_dict(message)
        if message.is_reply:
            root = self.channels[message.channel].messages.get(message.root)
            return told | ({"parent_user_id": root.user} if root else {})
        return told | self._thread_dict(message)

    def _thread_dict(self, message: Message) -> dict[str, Any]:
        replies = self.channels[message.channel].replies(message.ts)
        if not replies:
            return {}
        people = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "latest_reply": replies[-1].ts,
            "reply_users": people,
            "is_locked": False,
            "subscribed": False,
        }

    def view_dict(self, one: View) -> dict[str, Any]:
        """As views.* and interactions tell it."""
        bot = self.bot_of(one.team)
        ids = {"id": one.id, "team_id": one.team, "app_id": self.app_id, "bot_id": bot.bot_id, "hash": one.hash}
        defaults = {"private_metadata": "", "callback_id": "", "external_id": "", "close": None, "submit": None}
        flags = {"clear_on_close": False, "notify_on_close": False, "state": {"values": {}}}
        where = {"root_view_id": one.root_id, "previous_view_id": one.previous_id, "app_installed_team_id": one.team}
        return {**defaults, **flags, **one.view, **ids, **where}

    def with_ids(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The blocks with the ids that Slack makes up where the app gave none."""
        return [self._with_ids(block) for block in blocks]

    def _with_ids(self, block: dict[str, Any]) -> dict[str, Any]:
        named = {**block, "block_id": block.get("block_id") or f"b{next(self._numbers)}"}
        if block["type"] == "actions":
            named["elements"] = [{"action_id": f"a{next(self._numbers)}", **one} for one in block["elements"]]
        for place in ("accessory", "element"):
            if place in block and block[place]["type"] != "image":
                named[place] = {"action_id": f"a{next(self._numbers)}", **block[place]}
        return named
