"""Posts to Teams and asks it: the Channel that delivery and the lookups use, from worker threads."""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy import select

from bot.channels.port import (
    Address,
    Channel,
    Incoming,
    Link,
    Parts,
    Profile,
    Reply,
    Sent,
    ThreadLost,
    TryAgain,
    Unclear,
    Unreachable,
)
from bot.channels.teams import graph
from bot.channels.teams.activities import CHAT, source_id
from bot.channels.teams.cards import Mention, TeamsMessage, to_messages
from bot.channels.teams.connector import Connector, NotDrawn, NotFound, TooLarge
from bot.channels.teams.pieces import CARD_TYPE
from bot.channels.teams.places import Places, Spot
from bot.channels.teams.rich import text_of
from bot.db import Sessions
from bot.file_links import FileLinks
from bot.settings import Settings
from bot.texts import Texts
from handoff.models import Person

logger = logging.getLogger(__name__)
PACE = 0.5  # seconds: Teams takes 7 posts a second of a bot in a conversation, and 60 in half a minute
BURST = 4  # changes of posts at once; Teams counts them as posts
CLOCKS = timedelta(minutes=5)  # how far our clock and Microsoft's may be apart when a post is looked for
EVER = datetime.min.replace(tzinfo=UTC)
LOOKS = 8  # tries to look for a post, some minutes in all; then it is sent again: better twice than never
MOST_LOOKED_FOR = 1000
REMOVED = "BotNotInConversationRoster"  # Lotse was taken out of the team
LAG = 10.0  # seconds until a post that was not found is looked for once more
FILE_HOSTS = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn", ".svc.ms")
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
        self._looks: dict[str, int] = {}

    def absolute(self, address: str) -> str:
        """An address of Lotse's pages for who reads it in Teams; as it is where they cannot be reached from there."""
        base = self.settings.web.public_url
        return f"{base.rstrip('/')}{address}" if base and address.startswith("/") else address

    # --- posting --------------------------------------------------------------------------------------------------
    def send(self, address: Address, reply: Reply, key: str) -> Sent:
        """Post a reply. A long one is several posts: after each but the last, TryAgain says that the rest is to be
        resumed, so that nothing else waits and the pace is kept."""
        return self._post_next(address, self.spot(address), reply, key, ())

    def go_on(self, address: Address, reply: Reply, key: str, parts: Parts) -> Sent:
        return self._post_next(address, self.spot(address), reply, key, parts)

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
                raise ThreadLost(str(gone), doubtful=True) from None
            raise Unreachable(str(gone), doubtful=True) from None
        except (NotDrawn, TooLarge) as error:
            logger.error("Teams did not take a card (%s); its words are posted plainly", error)  # noqa: TRY400 - ours
            return self._post_plainly(spot, message)

    def _post_plainly(self, spot: Spot, message: TeamsMessage) -> str:
        """The same words without a card: nothing is lost for a matter of looks."""
        try:
            try:
                return self._post_words(spot, words_of(message))
            except TooLarge:
                first, *_ = [self._post_words(spot, piece) for piece in pieces_of(words_of(message))]
                return first
        except (NotDrawn, TooLarge, NotFound) as error:
            raise Unreachable(str(error)) from None

    def _post_words(self, spot: Spot, words: str) -> str:
        return self.connector.post(spot.service_url, spot.target, plain(words))

    def _take_away(self, spot: Spot, posts: Sequence[str]) -> None:
        for post in posts:
            with suppress(Unreachable):  # as Teams says of what is gone
                self.connector.delete(spot.service_url, spot.target, post)

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
        """Replace an earlier post, with all its parts. Raises ThreadLost when the thread is gone; where only a post is,
        it and what comes after it are new posts. New ones are posted first, one each time, with TryAgain as in send."""
        return self._update(address, platform_id, reply, parts, is_unclear=False)

    def resume_update(self, address: Address, platform_id: str, reply: Reply, parts: Parts = ()) -> Parts:
        return self._update(address, platform_id, reply, parts, is_unclear=True)

    def _update(self, address: Address, platform_id: str, reply: Reply, parts: Parts, *, is_unclear: bool) -> Parts:
        spot, first = self.spot(address), activity_id(platform_id)
        key = "" if reply.card is not None else f"{first}-more"
        messages = self.messages(spot, reply, key)
        there = parts or (first,)
        if is_unclear and len(there) < len(messages):
            there = self._there(spot, key, EVER, there)
        if len(there) < len(messages):
            raise TryAgain(PACE, begun=True, parts=(*there, self._post(spot, messages[len(there)])))
        for number, message in enumerate(messages):
            if number >= BURST:
                time.sleep(PACE)
            if not self._replace(spot, there[number], message):
                self._take_away(spot, there[number + 1 :])
                raise TryAgain(PACE, begun=True, parts=(*there[:number], self._post(spot, message)))
        self._take_away(spot, there[len(messages) :])
        return there[: len(messages)]

    def _replace(self, spot: Spot, post: str, message: TeamsMessage) -> bool:
        """Change a post; whether it was there. Of one that was deleted Teams says that it is forbidden."""
        try:
            self.connector.update(spot.service_url, spot.target, post, activity_of(message))
        except (NotFound, Unreachable) as gone:
            if str(gone) == REMOVED:
                raise  # its posts are all there, and can be changed again once Lotse is
            if spot.thread == post:
                raise ThreadLost(str(gone), doubtful=True) from None
            return False
        except (NotDrawn, TooLarge) as error:
            logger.error("Teams did not take a changed card (%s); its words are shown plainly", error)  # noqa: TRY400
            self._replace_plainly(spot, post, message)
        return True

    def _replace_plainly(self, spot: Spot, post: str, message: TeamsMessage) -> None:
        words = words_of(message)
        try:
            try:
                self.connector.update(spot.service_url, spot.target, post, plain(words))
            except TooLarge:
                first, *rest = pieces_of(words)
                self.connector.update(spot.service_url, spot.target, post, plain(first))
                for piece in rest:
                    self._post_words(spot, piece)
        except (NotDrawn, TooLarge, NotFound) as error:
            raise Unreachable(str(error)) from None

    def show(self, address: Address, platform_id: str, card: Mapping[str, Any], summary: str) -> None:
        """Put a card in the place of a post, for everybody who sees it."""
        spot = self.spot(address)
        message = TeamsMessage(dict(card), summary)
        self.connector.update(spot.service_url, spot.target, activity_id(platform_id), activity_of(message))

    # --- looking --------------------------------------------------------------------------------------------------
    def _there(self, spot: Spot, key: str, since: datetime, known: Parts) -> Parts:
        """The parts of a post that are there: those we know of, and in a channel those that Microsoft Graph shows."""
        group = self._group_of(spot) if self.settings.teams.graph_url else None
        if group is None:
            return known
        try:
            found = self._own_parts(group, spot, key, since, known)
        except (Unreachable, NotFound) as error:
            logger.warning("a channel of Teams may not be read (%s): a post of unclear outcome is repeated", error)
            return known
        except (TryAgain, Unclear) as error:
            if self._looks_again(key):
                raise
            logger.warning("a channel of Teams cannot be read (%s): a post of unclear outcome is repeated", error)
            return known
        there = in_order(known, found)
        if there == known and self._looks_again(key, most=2):
            raise TryAgain(LAG, reason="a post is looked for once more")  # what was sent may take a while to be shown
        self._looks.pop(key, None)
        return there

    def _looks_again(self, key: str, most: int = LOOKS) -> bool:
        """Whether a post is to be looked for again, after it could not be seen. Counted in this process only: it is a
        matter of patience."""
        if len(self._looks) >= MOST_LOOKED_FOR:
            self._looks.clear()
        looks = self._looks.pop(key, 0) + 1
        if looks < most:
            self._looks[key] = looks
        return looks < most

    def _group_of(self, spot: Spot) -> str | None:
        """The Entra group of a channel's team; None for chats, and where the team is not known."""
        if spot.group is not None or spot.team is None:
            return spot.group
        try:
            return self.connector.group_of(spot.service_url, spot.team)
        except (Unreachable, NotFound, NotDrawn):
            return None

    def _own_parts(self, group: str, spot: Spot, key: str, since: datetime, known: Parts) -> dict[int, str]:
        channel = spot.conversation or ""
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
        group = self._group_of(spot) if self.settings.teams.graph_url and spot.thread else None
        if group is None:
            return ()
        try:
            thread = graph.Thread(group, spot.conversation or "", spot.thread)
            return graph.history(self.connector, thread, address, f"28:{self.settings.teams.app_id}")
        except NotFound:
            raise ThreadLost("the thread is gone") from None

    def profile(self, person_id: str, route: Mapping[str, str]) -> Profile | None:
        """A name is told with every message; Teams is asked only for somebody who has not written yet."""
        with self.places.sessions() as session:
            name = session.scalar(select(Person.name).filter_by(platform="teams", platform_id=person_id))
        if name:
            return Profile(name)
        where = self.spot(Address("teams", f"{CHAT}{person_id}", None, dict(route)))
        try:
            member = self.connector.member(where.service_url, where.target, person_id)
        except NotDrawn:
            member = None
        return Profile(member.name) if member is not None and member.name else None

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
        """Where Teams keeps what people send in chats; or on the very machine that stands in for Teams in tests."""
        parts, hosts = urlsplit(address), {urlsplit(one).netloc for one in self.settings.teams.service_urls}
        return parts.netloc in hosts or (parts.scheme == "https" and (parts.hostname or "").endswith(FILE_HOSTS))


def activity_of(message: TeamsMessage) -> dict[str, Any]:
    """A message as the Bot Connector takes it."""
    attachment = {"contentType": CARD_TYPE, "content": message.card}
    return {"type": "message", "summary": message.summary, "attachments": [attachment]}


def plain(words: str) -> dict[str, Any]:
    """Words that nothing is read into."""
    return {"type": "message", "text": words, "textFormat": "plain"}


def words_of(message: TeamsMessage) -> str:
    """What a card says."""
    return text_of(message.card["body"]) or message.summary


def pieces_of(words: str) -> list[str]:
    """Words in pieces that Teams takes in any case."""
    return [words[start : start + LONGEST_PLAIN] for start in range(0, len(words), LONGEST_PLAIN)]


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
