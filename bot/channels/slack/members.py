"""Who may act on tickets in Slack: the members of a hand-off channel, asked at every press."""

import asyncio
import logging
import time
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.channels.port import TryAgain
from bot.channels.slack.workspaces import UnknownWorkspace, Workspaces, WrongToken

logger = logging.getLogger(__name__)
FRESH = 60.0  # seconds for which a list of members is taken as it is; who joins or leaves is noted at once
BELIEVED = 600.0  # seconds for which an older one still counts while Slack cannot be asked
CANNOT_TELL = (TimeoutError, SlackApiError, OSError, aiohttp.ClientError, TryAgain)
PATIENCE = 1.2  # seconds: Slack wants its acknowledgement after three


@dataclass
class Room:
    """The members of a channel, as they were at a time of the monotonic clock."""

    users: set[str]
    at: float

    def age(self) -> float:
        return time.monotonic() - self.at


class Members:
    """The members of channels. Lives in one event loop."""

    def __init__(self, workspaces: Workspaces, patience: float = PATIENCE) -> None:
        self.workspaces = workspaces
        self.patience = patience
        self._rooms: dict[str, Room] = {}
        self._loading: dict[str, asyncio.Task[Room]] = {}
        self._asked_at: dict[str, float] = {}

    async def is_member(self, team: str | None, channel: str, user: str) -> bool | None:
        """Whether a person is in a channel; None when Slack could not be asked in time and nothing recent is known.

        Nobody is refused by an older list: who has joined since then may act, even if we were not told.
        """
        room = self._rooms.get(channel)
        if room is None or room.age() > FRESH or user not in room.users:
            asked = await self._load(team, channel)
            if asked is not None:
                return user in asked.users
        if room is None or room.age() > BELIEVED or user not in room.users:
            return None
        return True

    def joined(self, channel: str, user: str) -> None:
        if channel in self._rooms:
            self._rooms[channel].users.add(user)

    def left(self, channel: str, user: str) -> None:
        if channel in self._rooms:
            self._rooms[channel].users.discard(user)

    async def _load(self, team: str | None, channel: str) -> Room | None:
        """Ask Slack, with little patience, counted from when it was asked: nobody waits twice for the same answer. What
        comes later serves the next press."""
        task = self._loading.get(channel)
        if task is None:
            task = self._loading[channel] = asyncio.create_task(self._ask(team, channel))
            task.add_done_callback(lambda done: self._note(channel, done))
            self._asked_at[channel] = time.monotonic()
        try:
            left = self._asked_at[channel] + self.patience - time.monotonic()
            return await asyncio.wait_for(asyncio.shield(task), max(left, 0.0))
        except (*CANNOT_TELL, UnknownWorkspace, WrongToken) as error:
            logger.warning("the members of a Slack channel could not be had (%s)", type(error).__name__)
            return None

    def _note(self, channel: str, done: asyncio.Task[Room]) -> None:
        self._loading.pop(channel, None)
        if not done.cancelled() and done.exception() is None:
            self._rooms[channel] = done.result()

    async def _ask(self, team: str | None, channel: str) -> Room:
        client = await asyncio.to_thread(self.workspaces.async_client, team)
        users: set[str] = set()
        cursor: str | None = None
        while True:
            page = await client.conversations_members(channel=channel, limit=999, cursor=cursor)
            users.update(page.get("members") or ())
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return Room(users, time.monotonic())
