"""Posts to Teams and asks it: the Channel that delivery and the lookups use, from worker threads."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from bot.channels.port import (
    Address,
    Channel,
    Incoming,
    Link,
    Parts,
    Reply,
    Sent,
    ThreadLost,
    TryAgain,
    Unclear,
    Unreachable,
)
from bot.channels.teams import graph
from bot.channels.teams.activities import source_id
from bot.channels.teams.cards import Mention, TeamsMessage, to_messages
from bot.channels.teams.connector import Connector, NotDrawn, NotFound, TooLarge
from bot.channels.teams.places import Places, Spot
from bot.channels.teams.rich import text_of
from bot.db import Sessions
from bot.file_links import FileLinks
from bot.settings import Settings
from bot.texts import Texts

logger = logging.getLogger(__name__)
PACE = 0.5  # seconds: Teams takes 7 posts a second of a bot in a conversation, and 60 in half a minute
CLOCKS = timedelta(minutes=5)  # how far our clock and Microsoft's may be apart when a post is looked for
CARD = "application/vnd.microsoft.card.adaptive"
LONGEST_PLAIN = 6000  # characters of a post that Teams would not take as a card; 24,000 bytes at most


class TeamsChannel(Channel):
    """Implements Channel. What Teams offers no way to ask is kept with the message: the ids of its posts."""

    platform = "teams"
    pace = PACE
    can_be_asked = True
    takes_files = False

    def __init__(self, settings: Settings, sessions: Sessions, connector: Connector, links: FileLinks) -> None:
        self.settings = settings
        self.connector = connector
        self.links = links
        self.places = Places(settings.teams, sessions)
        self.upload_limit = settings.web.upload_limit_mb * 1024 * 1024
        self.texts = Texts(settings.handoff.language, settings.language.address, "teams")

    def absolute(self, address: str) -> str:
        """An address of Lotse's pages for who reads it in Teams; as it is where they cannot be reached from there."""
        return urljoin(self.settings.web.public_url, address) if self.settings.web.public_url else address

    # --- posting --------------------------------------------------------------------------------------------------
    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        """Post a reply. A long one is several posts: after each but the last, TryAgain says that the rest is to be
        resumed, so that nothing else waits and the pace is kept."""
        return self._post_next(address, self.spot(address), reply, key, ())

    def resume(self, address: Address, reply: Reply, key: str, since: datetime, parts: Parts = ()) -> Sent:
        spot = self.spot(address)
        return self._post_next(address, spot, reply, key, self._there(spot, key, since - CLOCKS, parts))

    def _post_next(self, address: Address, spot: Spot, reply: Reply, key: str, there: Parts) -> Sent:
        messages = self.messages(spot, reply, key)
        if len(there) < len(messages):
            inside = self._inside(spot, there)
            there = (*there, self._post(inside, messages[len(there)]))
        if len(there) < len(messages):
            raise TryAgain(PACE, begun=True, parts=there)
        return self._sent(address, spot, there)

    def messages(self, spot: Spot, reply: Reply, key: str) -> list[TeamsMessage]:
        """A reply as posts; files are links to Lotse's own address, because a bot has no way to post them."""
        mention = Mention(*spot.mention) if spot.mention is not None and not reply.note else None
        return to_messages(self.with_links(reply), key, self.absolute, self.texts, to=mention)

    def with_links(self, reply: Reply) -> Reply:
        """The reply with a link for each of its files; where nobody could follow one, with a line that says so."""
        kept = [file for file in reply.files if file.number is not None]
        if not kept:
            return reply
        if self.settings.web.public_url is None:
            told = "\n".join(self.texts("file_at_the_desk", name=file.name) for file in kept)
            return replace(reply, text="\n\n".join(filter(None, (reply.text, told))), files=())
        links = tuple(Link(f"📎 {file.name}", self.absolute(self.links.path(file.number or 0))) for file in kept)
        return replace(reply, links=(*links, *reply.links), files=())

    def _post(self, spot: Spot, message: TeamsMessage) -> str:
        """Post one message; its id."""
        try:
            return self.connector.post(spot.service_url, spot.target, activity_of(message))
        except NotFound as gone:
            if spot.thread is not None:
                raise ThreadLost(str(gone)) from None
            raise Unreachable(str(gone)) from None
        except (NotDrawn, TooLarge) as error:
            logger.error("Teams did not take a card (%s); its words are posted plainly", error)  # noqa: TRY400 - ours
            return self._post_plainly(spot, message)

    def _post_plainly(self, spot: Spot, message: TeamsMessage) -> str:
        """The same words without a card: nothing is lost for a matter of looks."""
        words = text_of(message.card["body"]) or message.summary
        pieces = [words[start : start + LONGEST_PLAIN] for start in range(0, len(words), LONGEST_PLAIN)]
        try:
            ids = [self.connector.post(spot.service_url, spot.target, plain(piece)) for piece in pieces]
        except (NotDrawn, TooLarge, NotFound) as error:
            raise Unreachable(str(error)) from None
        return ids[0]

    def _inside(self, spot: Spot, there: Parts) -> Spot:
        """Further parts of a post that opened a thread stand in it."""
        opens = there and spot.thread is None and spot.mention is None and spot.person is None
        return replace(spot, thread=there[0]) if opens else spot

    def _sent(self, address: Address, spot: Spot, there: Parts) -> Sent:
        """A delivered post; the first post of a place in a channel opens its thread."""
        in_channel = spot.person is None and spot.mention is None
        thread = (address.thread or there[0]) if in_channel else address.thread
        route = {"service_url": spot.service_url, "tenant": spot.tenant, "group": spot.group}
        if in_channel and thread:
            route["permalink"] = permalink(spot, thread)
        if spot.person is not None:
            route["conversation"] = spot.conversation
        told = {name: value for name, value in route.items() if value}
        where = replace(address, thread=thread, route={**address.route, **told})
        return Sent(source_id(address, there[0]), where, there)

    # --- changing -------------------------------------------------------------------------------------------------
    def update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        """Replace an earlier post, with all its parts. Raises ThreadLost when the thread is gone; where only the post
        is, the new wording is a new post."""
        spot, there = self.spot(address), parts or (activity_id(platform_id),)
        messages = self.messages(spot, reply, "")
        kept = [self._replace(spot, post, message) for post, message in zip(there, messages, strict=False)]
        for post in there[len(messages) :]:
            self.connector.delete(spot.service_url, spot.target, post)
        return (*kept, *(self._post(spot, message) for message in messages[len(there) :]))

    def _replace(self, spot: Spot, post: str, message: TeamsMessage) -> str:
        try:
            self.connector.update(spot.service_url, spot.target, post, activity_of(message))
        except NotFound as gone:
            if spot.thread == post:
                raise ThreadLost(str(gone)) from None
            return self._post(spot, message)
        except (NotDrawn, TooLarge) as error:
            logger.error("Teams did not take a changed card (%s); its words are shown plainly", error)  # noqa: TRY400
            words = text_of(message.card["body"]) or message.summary
            self.connector.update(spot.service_url, spot.target, post, plain(words[:LONGEST_PLAIN]))
        return post

    def show(self, address: Address, platform_id: str, card: Mapping[str, Any], summary: str) -> None:
        """Put a card in the place of a post, for everybody who sees it."""
        spot = self.spot(address)
        message = TeamsMessage(dict(card), summary)
        self.connector.update(spot.service_url, spot.target, activity_id(platform_id), activity_of(message))

    # --- looking --------------------------------------------------------------------------------------------------
    def _there(self, spot: Spot, key: str, since: datetime, known: Parts) -> Parts:
        """The parts of a post that are there: those we know of, and in a channel those that Microsoft Graph shows."""
        if spot.group is None or spot.person is not None or not self.settings.teams.graph_url:
            return known
        try:
            found = self._own_parts(spot, key, since, known)
        except (Unreachable, NotFound) as error:
            logger.warning("a channel of Teams may not be read (%s): a post of unclear outcome is repeated", error)
            return known
        return in_order(known, found)

    def _own_parts(self, spot: Spot, key: str, since: datetime, known: Parts) -> dict[int, str]:
        channel, group = spot.conversation or "", spot.group or ""
        found = graph.own_parts(self.connector, graph.Thread(group, channel, spot.thread), key, since)
        first = (*known, *found.values())[:1]
        if first and spot.thread is None:
            found |= graph.own_parts(self.connector, graph.Thread(group, channel, first[0]), key, since)
        return found

    def spot(self, address: Address) -> Spot:
        """Where an address is in Teams. The chat with somebody is opened when it is not known yet. Raises Unreachable
        where Teams does not let us."""
        spot = self.places.spot(address)
        if spot.conversation is not None:
            return spot
        try:
            opened = self.connector.open_chat(spot.service_url, spot.tenant, spot.person or "")
        except (NotFound, NotDrawn) as error:
            raise Unreachable(str(error)) from None
        except Unclear as error:
            raise TryAgain(reason=str(error)) from None  # opening a chat twice does no harm
        return replace(spot, conversation=opened)

    def history(self, address: Address) -> Sequence[Incoming]:
        """What was written in a thread of a channel before; nothing where Microsoft Graph may not be asked."""
        spot = self.spot(address)
        if spot.group is None or spot.thread is None or not self.settings.teams.graph_url:
            return ()
        try:
            thread = graph.Thread(spot.group, spot.conversation or "", spot.thread)
            return graph.history(self.connector, thread, address)
        except NotFound:
            raise ThreadLost("the thread is gone") from None

    def fetch(self, source: str, route: Mapping[str, str]) -> bytes:
        """A file that came with a message. Our token goes to the service's own addresses only."""
        ours = self.settings.teams.is_service_url(source)
        if not ours and not self._may_be_fetched(source):
            raise Unreachable("a file's address is none that Teams gives")
        try:
            return self.connector.download(source, self.upload_limit, ours=ours)
        except (NotFound, NotDrawn, TooLarge) as error:
            raise Unreachable(str(error)) from None

    def _may_be_fetched(self, address: str) -> bool:
        """Encrypted, or on the very machine that stands in for Teams in tests."""
        hosts = {urlsplit(one).netloc for one in self.settings.teams.service_urls}
        return address.startswith("https://") or urlsplit(address).netloc in hosts


def activity_of(message: TeamsMessage) -> dict[str, Any]:
    """A message as the Bot Connector takes it."""
    attachment = {"contentType": CARD, "content": message.card}
    return {"type": "message", "summary": message.summary, "attachments": [attachment]}


def plain(words: str) -> dict[str, Any]:
    """Words that nothing is read into."""
    return {"type": "message", "text": words, "textFormat": "plain"}


def in_order(known: Parts, found: Mapping[int, str]) -> Parts:
    """The parts that are there without a gap."""
    there = list(known)
    while len(there) in found:
        there.append(found[len(there)])
    return tuple(there)


def activity_id(platform_id: str) -> str:
    """Teams' id of a post, from ours of it."""
    return platform_id.partition("#")[0].rpartition("/")[2]


def permalink(spot: Spot, thread: str) -> str:
    """What opens a thread of a channel in Teams, for people who may see it."""
    channel = quote(spot.conversation or "", safe="")
    wanted = {"tenantId": spot.tenant, "groupId": spot.group, "parentMessageId": thread}
    query = "&".join(f"{name}={value}" for name, value in wanted.items() if value)
    return f"https://teams.microsoft.com/l/message/{channel}/{thread}?{query}"
