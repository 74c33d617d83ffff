"""What every room of the Teams edge shares: the engine, who may act, and how cards are drawn again."""

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bot.channels.chat_edge import ChatEdge
from bot.channels.port import Address, Reply, TryAgain, Unclear, Unreachable
from bot.channels.teams.activities import Activity, Here, source_id
from bot.channels.teams.cards import TeamsMessage, notice
from bot.channels.teams.connector import NotDrawn, NotFound, TooLarge
from bot.channels.teams.members import Members
from bot.channels.teams.post import TeamsChannel, activity_of
from bot.posts import address_of, reply_for
from handoff.models import Message

logger = logging.getLogger(__name__)
FROM_TEAMS = (TryAgain, Unclear, Unreachable, NotFound, NotDrawn, TooLarge)
Card = dict[str, Any]
REMEMBERED = 1000  # searches in team rooms


@dataclass(frozen=True)
class Shown:
    """One of our posts, drawn anew: its reply, and its card (the last, where it is several)."""

    message_id: int
    address: Address
    platform_id: str
    reply: Reply
    card: Card


@dataclass
class Edge(ChatEdge):
    """The Teams edge. teams: those whose channels we know how to reach, or have asked about."""

    platform: ClassVar[str] = "teams"

    channel: TeamsChannel
    members: Members = field(init=False)
    teams: set[str] = field(default_factory=set, init=False)
    lately: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED), init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.members = Members(self.channel)

    def explain(self, error: Exception) -> bool:
        if isinstance(error, FROM_TEAMS):
            logger.warning("Teams did not do something that was only for show (%s)", type(error).__name__)
            return True
        return False

    def here(self) -> Here:
        """What is needed to read messages."""
        return Here(frozenset(self.house.settings.teams.help_channels), self.channel.upload_limit)

    async def may_act(self, channel: str, person: str) -> str | None:
        """Why a person may not act on tickets of a channel, as a key of the platform's sentences; None: they may."""
        found = await self.members.is_member(channel, person)
        return {True: None, False: "only_agents", None: "not_checked"}[found]

    def is_new(self, source_id: str) -> bool:
        """Whether a search was not here lately: Teams brings again what was not acknowledged in time."""
        if source_id in self.lately:
            return False
        self.lately.append(source_id)
        return True

    def drawn(self, key: str) -> Shown | None:
        """One of our posts as it would be drawn now, by the key its buttons carry."""
        if not key.isdecimal() or len(key) > 9:
            return None
        with self.house.sessions() as session:
            message = session.get(Message, int(key))
            if message is None or not message.to_send or message.platform != "teams" or message.source_id is None:
                return None
            reply, address = reply_for(self.house, session, message), address_of(message.place)
            parts = message.parts or [message.source_id]
        posts = self.channel.messages(self.channel.places.spot(address), reply, key)
        last = source_id(address, str(parts[-1]).rpartition("/")[2])
        return Shown(message.id, address, last, reply, posts[-1].card)

    async def tell(self, activity: Activity, text: str) -> None:
        """Say something where an activity came from. Teams has no words that only one person sees: this is for what
        everybody there may read."""
        post = TeamsMessage(notice(text), text[:100])
        conversation, where = activity.conversation.id, activity.service_url
        await self.ask(lambda: self.channel.connector.post(where, conversation, activity_of(post)))
