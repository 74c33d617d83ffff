"""What every room of the Teams edge shares: the engine, who may act, and how cards are drawn again."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.chat_edge import ChatEdge
from bot.channels.port import Address, Incoming, Press, Reply, Sender, TryAgain, Unclear, Unreachable
from bot.channels.teams.activities import Activity, Here, source_id
from bot.channels.teams.cards import TeamsMessage, notice
from bot.channels.teams.connector import NotDrawn, NotFound, TooLarge
from bot.channels.teams.members import Members
from bot.channels.teams.post import TeamsChannel, activity_of
from bot.intake import NotYetBooked, place_of_card
from bot.posts import address_of, reply_for
from handoff.inbox import find_place
from handoff.models import Kind, Message, Place

logger = logging.getLogger(__name__)
FROM_TEAMS = (TryAgain, Unclear, Unreachable, NotFound, NotDrawn, TooLarge)
Card = dict[str, Any]
NOBODY = Sender("teams", "", "")
BOOKED_SOON = (0.2, 0.5, 1.0, 2.0, 3.0)  # seconds between two tries; Teams waits for 15
REMEMBERED = 1000  # searches in team rooms
MOST_GREETED = 2  # at the same time: dialogs are not to wait for greetings
LONGEST_KEY = 9  # digits of the number of a message


@dataclass(frozen=True)
class Shown:
    """One of our posts, drawn anew: its reply, and its card (the last, where it is several). It has no platform_id as
    long as it is not booked. pressed: what was pressed there first, if anything."""

    address: Address
    platform_id: str | None
    reply: Reply
    card: Card
    pressed: str | None


@dataclass
class Edge(ChatEdge):
    """The Teams edge. teams: those whose channels we know how to reach, or have asked about."""

    platform: ClassVar[str] = "teams"

    channel: TeamsChannel
    members: Members = field(init=False)
    teams: set[str] = field(default_factory=set, init=False)
    greeting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_GREETED), init=False)
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
        help_channels = frozenset(self.house.settings.teams.help_channels)
        marks = tuple(self.house.settings.handoff.note_prefixes)
        return Here(help_channels, frozenset(self.team_rooms()), self.channel.upload_limit, marks)

    def close(self) -> None:
        super().close()
        self.members.close()

    async def receive(self, incoming: Incoming) -> int | None:
        """Store a message. A word in a thread whose card is just being posted waits for it, a little."""
        for pause in BOOKED_SOON:
            try:
                return await super().receive(incoming)
            except NotYetBooked:
                await asyncio.sleep(pause)
        return await super().receive(incoming)

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

    def drawn(self, key: str, channel: str) -> Shown | None:
        """One of our posts in a channel as it would be drawn now, by the key its buttons carry."""
        if not key.isdecimal() or len(key) > LONGEST_KEY:
            return None
        with self.house.sessions() as session:
            message = session.get(Message, int(key))
            if message is None or not message.to_send:
                return None
            if (message.platform, message.place.channel) != (self.platform, channel):
                return None  # whoever sent this key was never shown it
            reply, address = reply_for(self.house, session, message), address_of(message.place)
            booked, parts = message.source_id, message.parts
            first = pressed_first(session, message)
        posts = self.channel.messages(self.channel.places.spot(address), reply, key)
        last = source_id(address, str(parts[-1])) if booked and parts else booked
        return Shown(address, last, reply, posts[-1].card, label_of(reply, *first) if first is not None else None)

    def place_of_ticket(self, session: Session, where: Address, key: str) -> Place | None:
        """The place of a ticket's thread. key: of its card, which is known before its thread is."""
        on_card = Press(where, NOBODY, "", "", "", on=key or None)
        return place_of_card(session, on_card) or find_place(session, self.platform, where.channel, where.thread)

    async def tell(self, activity: Activity, text: str) -> None:
        """Say something where an activity came from. Teams has no words that only one person sees: this is for what
        everybody there may read."""
        post = TeamsMessage(notice(text), text[:100])
        conversation, where = activity.conversation.id, activity.service_url
        await self.ask(lambda: self.channel.connector.post(where, conversation, activity_of(post)))


def pressed_first(session: Session, message: Message) -> tuple[str, str] | None:
    """The button below a post that was pressed first: its action and value."""
    presses = select(Message.text).where(Message.concerns_id == message.id, Message.kind == Kind.PRESS)
    first = session.scalar(presses.order_by(Message.id).limit(1))
    action, _, value = (first or "").partition(":")
    return (action, value) if first else None


def label_of(reply: Reply, action: str, value: str) -> str | None:
    """What a button of a reply says; None where it has no such button."""
    return next((one.label for one in reply.buttons if (one.action, one.value) == (action, value)), None)
