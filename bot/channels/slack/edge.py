"""What every listener of the Slack edge shares: the engine, who may act, and how somebody is told something."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.channels.chat_edge import ChatEdge
from bot.channels.slack.events import Here
from bot.channels.slack.members import Members
from bot.channels.slack.post import SlackChannel
from bot.channels.slack.text import escape, markdown_blocks, split_blocks, text_of
from bot.channels.slack.workspaces import Workspaces, error_code
from bot.lookups import Wanted, look_up
from bot.texts import Texts
from handoff.inbox import person_at

logger = logging.getLogger(__name__)
NAME_PATIENCE = 0.6  # seconds to wait for a name before the id stands for it
NAMING_THREADS = 8
LONGEST_TOLD = 3000
REMEMBERED = 1000  # searches in team rooms


@dataclass
class Edge(ChatEdge):
    """The Slack edge."""

    platform: ClassVar[str] = "slack"

    workspaces: Workspaces
    channel: SlackChannel
    members: Members = field(init=False)
    lately: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    naming: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.members = Members(self.workspaces)
        self.naming = ThreadPoolExecutor(NAMING_THREADS, "slack-names")  # slow ones must not keep forms waiting

    def close(self) -> None:
        super().close()
        self.naming.shutdown(wait=False, cancel_futures=True)

    def explain(self, error: Exception) -> bool:
        if isinstance(error, SlackApiError):
            reason = error_code(error)
            logger.warning("Slack refused something that was only for show: %s", reason)
        elif isinstance(error, OSError | aiohttp.ClientError | TimeoutError):
            logger.warning("Slack could not be reached (%s)", type(error).__name__)
        else:
            return False
        return True

    # --- where and who --------------------------------------------------------------------------------------------
    def here(self, context: Mapping[str, Any]) -> Here:
        """What is needed to read an event."""
        help_channels = frozenset(self.house.settings.slack.help_channels)
        return Here(
            context.get("team_id") or "",
            context.get("bot_user_id") or "",
            help_channels,
            self.channel.names,
            self.channel.upload_limit,
        )

    async def rooms_of(self, team: str | None, user: str) -> tuple[str, ...]:
        """The hand-off channels a person is in: whose tickets they may see."""
        rooms = [queue.channel for queue in self.house.settings.handoff.queues.values() if queue.platform == "slack"]
        asked = {room: await self.members.is_member(team, room, user) for room in dict.fromkeys(rooms)}
        return tuple(room for room, found in asked.items() if found)

    async def may_act(self, team: str | None, channel: str, user: str) -> str | None:
        """Why a person may not act on tickets of a channel, as a key of Slack's sentences; None: they may."""
        found = await self.members.is_member(team, channel, user)
        return {True: None, False: "only_agents", None: "not_checked"}[found]

    async def acquaint(self, team: str | None, user: str) -> None:
        """Know a person by name before something is said about them, if Slack tells it quickly."""
        wanted = await self.store(lambda: self._unknown(team, user))
        if wanted is not None:
            asked = asyncio.get_running_loop().run_in_executor(self.naming, look_up, self.house, wanted)
            try:
                await asyncio.wait_for(asyncio.shield(asked), NAME_PATIENCE)
            except TimeoutError:
                logger.warning("a name could not be had from Slack in time")

    def _unknown(self, team: str | None, user: str) -> Wanted | None:
        def note(session: Session) -> Wanted | None:
            person = person_at(session, "slack", user, "")
            known = person.profile_at is not None
            return None if known else Wanted(person.id, user, "slack", {"team": team} if team else {})

        return self.engine.write(note)

    async def bot_user(self, team: str | None) -> str:
        """Our bot's user in a workspace."""
        return await self.ask(lambda: self.workspaces.bot_user(team))

    # --- telling --------------------------------------------------------------------------------------------------
    async def texts_for(self, team: str | None, user: str) -> Texts:
        """As texts, for somebody who may not have been here before: their language is looked up first."""
        await self.acquaint(team, user)
        return await self.texts(user)

    def is_new(self, source_id: str) -> bool:
        """Whether a message was not here lately: a mention comes as two events, and every event may come again."""
        if source_id in self.lately:
            return False
        self.lately.append(source_id)
        return True

    async def tell(
        self,
        team: str | None,
        channel: str,
        user: str,
        text: str,
        thread: str | None = None,
        links: frozenset[str] = frozenset(),
    ) -> None:
        """Say something that only one person sees."""
        client = await self.ask(lambda: self.workspaces.async_client(team))
        for part in as_posts(text, links):
            await client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread, **part)

    async def show(self, team: str, trigger: str, view: dict[str, Any], user: str, channel: str, thread: str) -> None:
        """Open a form. Slack takes it for three seconds after the press; who was too slow is told to press again, where
        there is a channel to say so."""
        client = await self.ask(lambda: self.workspaces.async_client(team))
        try:
            await client.views_open(trigger_id=trigger, view=view)
        except SlackApiError as error:
            if "trigger" not in error_code(error) or not channel:
                raise
            await self.tell_key(team, channel, user, "trigger_expired", thread or None)

    async def tell_key(
        self, team: str | None, channel: str, user: str, key: str, thread: str | None = None, **values: object
    ) -> None:
        """Say one of Slack's sentences to one person."""
        texts = await self.texts(user)
        await self.tell(team, channel, user, texts(key, **values), thread)


def as_posts(markdown: str, links: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """A text as the arguments of one call, or of several where it is long."""
    parts = split_blocks(markdown_blocks(markdown, links), most=LONGEST_TOLD)
    return [{"text": escape(text_of(part))[:LONGEST_TOLD], "blocks": part} for part in parts]
