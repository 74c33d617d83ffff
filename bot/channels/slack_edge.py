"""What every listener of the Slack edge shares: the engine, who may act, and how somebody is told something."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot.channels.port import Incoming, Press, PressResult
from bot.channels.slack_desk import texts_of
from bot.channels.slack_events import Here
from bot.channels.slack_members import Members
from bot.channels.slack_post import SlackChannel
from bot.channels.slack_text import escape, markdown_blocks, split_blocks, text_of
from bot.channels.slack_workspaces import Workspaces, error_code
from bot.engine import Engine
from bot.house import House
from bot.lookups import Wanted, look_up
from bot.texts import Texts
from handoff.inbox import person_at

logger = logging.getLogger(__name__)
T = TypeVar("T")
NAME_PATIENCE = 0.6  # seconds to wait for a name before the id stands for it
STORING_THREADS, ASKING_THREADS = 8, 8
LONGEST_TOLD = 3000
REMEMBERED = 1000  # searches in team rooms


@dataclass
class Edge:
    """The Slack edge. What is stored and what is asked run in threads of their own: Slack being slow to answer must
    never keep an event from being stored and acknowledged."""

    house: House
    engine: Engine
    workspaces: Workspaces
    channel: SlackChannel
    members: Members = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    lately: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    storing: ThreadPoolExecutor = field(init=False)
    asking: ThreadPoolExecutor = field(init=False)
    naming: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.members = Members(self.workspaces)
        self.storing = ThreadPoolExecutor(STORING_THREADS, "slack-store")
        self.asking = ThreadPoolExecutor(ASKING_THREADS, "slack-ask")
        self.naming = ThreadPoolExecutor(ASKING_THREADS, "slack-names")  # slow ones must not keep forms waiting

    def close(self) -> None:
        self.storing.shutdown(wait=False, cancel_futures=True)
        self.asking.shutdown(wait=False, cancel_futures=True)
        self.naming.shutdown(wait=False, cancel_futures=True)

    # --- the engine -----------------------------------------------------------------------------------------------
    async def receive(self, incoming: Incoming) -> int | None:
        """Store a message. Raises what the engine raises: Slack then gets an error and repeats."""
        return await self.store(lambda: self.engine.receive(incoming))

    async def press(self, press: Press) -> PressResult:
        return await self.store(lambda: self.engine.press(press))

    async def store(self, work: Callable[[], T]) -> T:
        """Run what reads or writes the record only."""
        return await asyncio.get_running_loop().run_in_executor(self.storing, work)

    async def ask(self, work: Callable[[], T]) -> T:
        """Run what asks Slack or a model."""
        return await asyncio.get_running_loop().run_in_executor(self.asking, work)

    def afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that Slack's acknowledgement does not wait for."""
        task = asyncio.create_task(guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

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

    def team_rooms(self) -> tuple[str, ...]:
        """The channels where agents and the third level work."""
        handoff = self.house.settings.handoff
        rooms = (*handoff.queues.values(), handoff.third_level)
        return tuple(dict.fromkeys(room.channel for room in rooms if room.platform == "slack"))

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
    async def texts(self, user: str) -> Texts:
        return await self.store(lambda: texts_of(self.house, user))

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


async def guarded(work: Awaitable[None]) -> None:
    """Whatever goes wrong behind an acknowledgement is written down by its kind; nobody waits for it."""
    try:
        await work
    except SlackApiError as error:
        reason = error_code(error)
        logger.warning("Slack refused something that was only for show: %s", reason)
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        logger.warning("Slack could not be reached (%s)", type(error).__name__)
    except Exception:
        logger.exception("something for Slack failed")
