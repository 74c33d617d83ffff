"""Where to reach a conversation of Teams: each has its service address, as it was last heard of."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from bot.channels.port import Address
from bot.channels.teams.activities import CHAT, ROOT
from bot.db import Sessions
from bot.settings import TeamsSettings
from handoff.models import Place

WAYS = ("service_url", "tenant", "team", "group")
NEWEST = 20  # places of a channel that are looked at


@dataclass(frozen=True)
class Spot:
    """Where to write. conversation: the Bot Connector's id of it, None for a chat with somebody that is not known yet;
    team, group: those of a channel, as the Bot Connector and as Microsoft Graph know them; mention: whose case it is,
    where others read along (id, name)."""

    service_url: str
    conversation: str | None
    person: str | None
    tenant: str | None
    thread: str | None = None
    team: str | None = None
    group: str | None = None
    mention: tuple[str, str] | None = None

    @property
    def target(self) -> str:
        """The conversation with the thread in it."""
        conversation = self.conversation or ""
        return f"{conversation}{ROOT}{self.thread}" if self.thread else conversation


@dataclass
class Places:
    """What is known of conversations."""

    settings: TeamsSettings
    sessions: Sessions

    def spot(self, address: Address) -> Spot:
        """Where an address is in Teams."""
        route = self.route_of(address)
        is_chat, in_group = address.channel.startswith(CHAT), (address.thread or "").startswith(CHAT)
        person = address.channel.removeprefix(CHAT) if is_chat else None
        member = (address.thread or "").removeprefix(CHAT)
        return Spot(
            route.get("service_url") or self.settings.service_urls[0],
            route.get("conversation") if is_chat else address.channel,
            person,
            route.get("tenant") or self.settings.tenant_id,
            None if is_chat or in_group else address.thread,
            route.get("team"),
            route.get("group"),
            (member, route.get("name") or "") if in_group else None,
        )

    def route_of(self, address: Address) -> Mapping[str, str]:
        """What is known of the way to an address; what its own place does not know, others of its channel do."""
        if address.route.get("service_url") and (address.channel.startswith(CHAT) or address.route.get("group")):
            return address.route
        here = select(Place.route).where(Place.platform == "teams", Place.channel == address.channel)
        with self.sessions() as session:
            newest = list(session.scalars(here.order_by(Place.id.desc()).limit(NEWEST)))
            told = list(session.scalars(here.where(Place.thread == "")))  # by Teams, of the channel itself
        known: dict[str, str] = {}
        for route in (address.route, *newest, *told):
            known |= {name: str(route[name]) for name in WAYS if route.get(name) and name not in known}
        return {**known, **address.route}
