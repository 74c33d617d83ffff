"""Looks whether Lotse can write and read in each channel of Teams that the settings name; nothing stays there."""

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.findings import Finding, Room
from bot.channels.port import Address, Reply, TryAgain, Unclear, Unreachable
from bot.channels.teams import graph
from bot.channels.teams.cards import to_messages
from bot.channels.teams.connector import Connector, NotDrawn, NotFound, TooLarge
from bot.channels.teams.places import Places, Spot
from bot.channels.teams.post import activity_of
from bot.db import Sessions
from bot.settings import Settings
from bot.texts import Texts

CARD_TEXT = "Lotse prüft diesen Kanal. / Lotse is checking this channel."
BY_HAND = f"delete it by hand; it says: {CARD_TEXT}"
AGAIN = 1.0  # seconds until a card is tried to be taken away once more
CLOCKS = timedelta(minutes=5)
REFUSED = (TryAgain, Unclear, Unreachable, NotFound, NotDrawn, TooLarge)
ADD_CURE = (
    "in Teams open the app Lotse, the arrow beside Open, Add to a team, and choose the channel's team; a private or "
    "shared channel needs it once more: its Manage channel, Apps"
)
TEAMS_CHANNEL = "the Azure Bot's page Channels, Microsoft Teams, Apply"
CURES = {
    "BotNotRegistered": f"no Azure Bot has teams.app_id, or Teams is not among its channels: {TEAMS_CHANNEL}",
    "http 401": "the Bot Connector knows no bot with this id in this tenant: make the Azure Bot with teams.app_id, as "
    f"Single Tenant (or with the managed identity) in teams.tenant_id, and switch Teams on: {TEAMS_CHANNEL}",
    "TooManyRequests": "too many posts just now: wait a minute and run this again",
}
CHANNEL_CURE = "copy the channel's link and take the id from it, as docs/teams.md shows: 19:...@thread.tacv2"
NO_ANSWER_CURE = "check that this machine reaches {address} (network, HTTPS_PROXY), then run this again"
UNKNOWN_TEAM_CURE = "while Lotse runs, write @Lotse in a channel of that team, then run this again"
CONSENT_CURE = (
    "take Lotse out of the team and add it again, as one of its owners: they agree to ChannelMessage.Read.Group then; "
    "or set teams.graph_url to null"
)
DATABASE_CURE = "start Lotse once: it sets the database up"


class Rooms:
    """Tries channels, one after the other."""

    def __init__(self, settings: Settings, sessions: Sessions, connector: Connector) -> None:
        self.teams = settings.teams
        self.places = Places(settings.teams, sessions)
        self.connector = connector

    def findings(self, named: Sequence[Room]) -> Iterator[Finding]:
        """What each channel lacks. Where Teams does not answer at all, nobody waits for it in every channel."""
        if named and not self._knows_places():
            text = "the database cannot be read, so the ways to the channels are those of the settings"
            yield Finding("database", "warning", text, DATABASE_CURE)
        for number, room in enumerate(named, 1):
            try:
                yield from self._room(room)
            except NoAnswer as error:
                yield Finding(check_of(room), "wrong", f"Teams does not answer ({error})", self._no_answer_cure())
                if number < len(named):
                    left = f"{len(named) - number} more were not tried"
                    yield Finding("channels", "warning", left, "mend that, then run this again")
                return

    def _room(self, room: Room) -> Iterator[Finding]:
        """What one channel lacks; where nothing does, a card was posted there and taken away. Raises NoAnswer."""
        check, spot, card = check_of(room), self._spot(room), Card()
        try:
            card.post = self.connector.post(spot.service_url, spot.target, card.activity())
        except REFUSED as error:
            yield from self._not_posted(check, spot, card, error)
            return
        if not self._take_away(spot, card.post):
            yield Finding(check, "wrong", "the test card could not be taken away", BY_HAND)
            return
        yield Finding(check, "ok", "a test card was posted and taken away")
        if self.teams.graph_url:
            yield self._reading(check, spot)

    # --- the card -------------------------------------------------------------------------------------------------
    def _not_posted(self, check: str, spot: Spot, card: "Card", error: Exception) -> Iterator[Finding]:
        """Why a card is not there; where nobody knows whether it is, it is looked for and taken away."""
        reason = reason_of(error)
        if isinstance(error, Unclear) and not self._is_gone(spot, card):
            text = f"posting had no clear end ({reason}), and a test card may stand there"
            yield Finding(check, "wrong", text, BY_HAND)
        if is_of_the_network(reason):
            raise NoAnswer(reason)
        yield trouble(check, error, self._no_answer_cure())

    def _is_gone(self, spot: Spot, card: "Card") -> bool:
        """Whether a card that may have been posted is known not to stand there."""
        try:
            found = graph.own_parts(self.connector, self._thread(spot), card.key, card.since)
        except (*REFUSED, LookupError):
            return False
        return all(self._take_away(spot, post) for post in found.values())

    def _take_away(self, spot: Spot, post: str) -> bool:
        for pause in (AGAIN, 0.0):
            try:
                self.connector.delete(spot.service_url, spot.target, post)
            except (TryAgain, Unclear):
                time.sleep(pause)
            except REFUSED:
                return False
            else:
                return True
        return False

    # --- reading --------------------------------------------------------------------------------------------------
    def _reading(self, check: str, spot: Spot) -> Finding:
        """Whether Lotse hears what does not mention it, and can look up posts after a crash."""
        lost = "without a mention Lotse hears nothing there, and after a crash a post can appear twice"
        try:
            self.connector.graph(self._thread(spot).path, **{"$top": "1"})
        except LookupError:
            text = "the channel's team is not known yet, so it was not tried whether the channel may be read"
            return Finding(check, "warning", text, UNKNOWN_TEAM_CURE)
        except (TryAgain, Unclear) as error:
            text = f"Microsoft Graph does not say now what stands in the channel ({reason_of(error)})"
            where = f"teams.graph_url ({self.teams.graph_url})"
            return Finding(check, "warning", text, NO_ANSWER_CURE.format(address=where))
        except REFUSED as error:
            text = f"what stands in the channel may not be read ({reason_of(error)}): {lost}"
            return Finding(check, "warning", text, CONSENT_CURE)
        return Finding(check, "ok", "what stands in the channel can be read")

    def _thread(self, spot: Spot) -> graph.Thread:
        """The channel as Microsoft Graph knows it. Raises LookupError where its team is not known."""
        group = spot.group
        if not self.teams.graph_url or (group is None and spot.team is None):
            raise LookupError("the team of the channel is not known")
        if group is None:
            group = self.connector.group_of(spot.service_url, spot.team or "")
        if group is None:
            raise LookupError("the team has no group")
        return graph.Thread(group, spot.conversation or "", None)

    # --- ways -----------------------------------------------------------------------------------------------------
    def _knows_places(self) -> bool:
        try:
            self.places.route_of(Address("teams", ""))
        except SQLAlchemyError:
            return False
        return True

    def _spot(self, room: Room) -> Spot:
        try:
            return self.places.spot(Address("teams", room.channel))
        except SQLAlchemyError:
            return Spot(self.teams.service_urls[0], room.channel, None, self.teams.tenant_id)

    def _no_answer_cure(self) -> str:
        return NO_ANSWER_CURE.format(address="teams.service_urls")


class NoAnswer(Exception):  # noqa: N818 - it ends the look at channels
    """Teams cannot be reached at all."""


class Card:
    """A test card, which can be told again by its key; post is its id as soon as it is known."""

    def __init__(self) -> None:
        self.key = f"doctor-{uuid.uuid4().hex}"
        self.since = datetime.now(UTC) - CLOCKS
        self.post = ""

    def activity(self) -> dict[str, object]:
        (message,) = to_messages(Reply(CARD_TEXT), self.key, str, Texts("en", catalogue="teams"))
        return activity_of(message)


def check_of(room: Room) -> str:
    return f"{room.use}, channel {room.channel}"


def trouble(check: str, error: Exception, no_answer_cure: str) -> Finding:
    """Why nothing can be posted, and what to do."""
    reason = reason_of(error)
    if isinstance(error, Unreachable):
        text = f"Lotse is not in the team of this channel, or may not post there ({reason})"
        return Finding(check, "wrong", text, CURES.get(reason, ADD_CURE))
    if isinstance(error, NotFound | NotDrawn):
        return Finding(check, "wrong", f"there is no such channel ({reason})", CHANNEL_CURE)
    return Finding(check, "wrong", f"Teams does not take a post ({reason})", CURES.get(reason, no_answer_cure))


def reason_of(error: Exception) -> str:
    """The service's own word, else what went wrong on the way there."""
    return error.reason if isinstance(error, TryAgain) else str(error)


def is_of_the_network(reason: str) -> bool:
    """Whether nothing was answered: the reason is an error of the way there, not a word of the service's."""
    kind = getattr(httpx, reason, None)
    return isinstance(kind, type) and issubclass(kind, httpx.RequestError)
