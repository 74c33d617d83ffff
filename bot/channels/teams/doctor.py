"""Looks whether Microsoft Teams is set up as Lotse needs it: every check says what is wrong and what to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx

from bot.channels.findings import Finding, Room, clock, rooms
from bot.channels.port import Address, TryAgain, Unclear, Unreachable
from bot.channels.teams import graph
from bot.channels.teams.cards import TeamsMessage, notice
from bot.channels.teams.connector import Connector, NotDrawn, NotFound, TooLarge
from bot.channels.teams.listeners import MESSAGES_PATH, REALM
from bot.channels.teams.login import LoginRefused
from bot.channels.teams.places import Places, Spot
from bot.channels.teams.post import activity_of
from bot.db import Sessions
from bot.settings import Settings

CARD_TEXT = "Lotse prüft diesen Kanal. / Lotse is checking this channel."
SECONDS = 10.0
DOCS = "docs/teams.md"
ENTRA_CURES = {
    "AADSTS7000215": "copy the secret's Value (not its Secret ID) from the app registration's page Certificates & "
    "secrets, and export it as {variable}",
    "AADSTS7000222": "the secret has expired: make a new one on the page Certificates & secrets, and export it as "
    "{variable}",
    "AADSTS700016": "teams.app_id is not registered in this tenant: compare it with the Microsoft App ID of the Azure "
    "Bot's page Configuration, and teams.tenant_id with its App Tenant ID",
    "AADSTS90002": "teams.tenant_id is no tenant: copy the App Tenant ID from the Azure Bot's page Configuration",
    "AADSTS900023": "teams.tenant_id is no tenant: copy the App Tenant ID from the Azure Bot's page Configuration",
    "invalid_client": "compare teams.app_id and the secret in {variable} with the app registration",
}
ANOTHER_ENTRA_CURE = "look the code up at https://login.microsoftonline.com/error"
NO_ANSWER_CURE = "check that this machine reaches {address} (network, HTTPS_PROXY), then run this again"
ADD_CURE = (
    "in Teams: the team's ... > Manage team > Apps > Get more apps > Lotse, and for a private or shared channel also "
    "the channel's own apps"
)
REFUSED = (TryAgain, Unclear, Unreachable, NotFound, NotDrawn, TooLarge)


def examine(settings: Settings, sessions: Sessions, now: Callable[[], float] = time.time) -> list[Finding]:
    """Ask Microsoft about everything Lotse needs, and leave nothing behind there."""
    with closing(Connector(settings)) as connector:
        return list(_findings(settings, connector, Places(settings.teams, sessions), now))


def _findings(settings: Settings, connector: Connector, places: Places, now: Callable[[], float]) -> Iterator[Finding]:
    teams = settings.teams
    if teams.app_id is None:
        cure = f"set it, with teams.tenant_id and teams.client_secret_env; see {DOCS}"
        yield Finding("settings", "wrong", "teams.app_id is not set", cure)
        return
    named = rooms(settings, "teams", teams.help_channels)
    yield Finding("settings", "ok", f"the bot is {teams.app_id}, {len(named)} channels are named")
    credentials = _credentials(settings, connector)
    yield credentials
    yield from _keys(settings, now)
    yield _endpoint(settings)
    if credentials.state == "ok":
        for room in named:
            yield from _room(connector, places, room, has_graph=bool(teams.graph_url))


def _credentials(settings: Settings, connector: Connector) -> Finding:
    """Whether Entra gives us a token for the Bot Connector."""
    teams, check = settings.teams, "credentials"
    try:
        connector.run(connector.login.bot_token)
    except LoginRefused as error:
        cure = ENTRA_CURES.get(error.code, ANOTHER_ENTRA_CURE).format(variable=teams.client_secret_env)
        return Finding(check, "wrong", f"Microsoft Entra gives Lotse no token: {error.code}", cure)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        text = f"Microsoft Entra does not answer ({type(error).__name__})"
        return Finding(check, "wrong", text, NO_ANSWER_CURE.format(address=f"teams.login_url ({teams.login_url})"))
    way = (
        "the managed identity" if teams.credential == "managed_identity" else f"the secret in {teams.client_secret_env}"
    )
    return Finding(check, "ok", f"{way} is good for a token")


def _keys(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    """Whether the keys can be had with which Teams signs, and what time it is there."""
    address = settings.teams.openid_metadata_url
    try:
        answer = httpx.get(address, timeout=SECONDS).raise_for_status()
        found = httpx.get(answer.json()["jwks_uri"], timeout=SECONDS).raise_for_status().json()["keys"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        text = f"the keys of Teams cannot be had ({type(error).__name__}): nothing that comes from there is accepted"
        cure = NO_ANSWER_CURE.format(address=f"teams.openid_metadata_url ({address})")
        yield Finding("keys", "wrong", text, cure)
        return
    yield Finding("keys", "ok", f"{len(found)} keys of Teams are published")
    yield clock(answer.headers.get("date"), now, "Microsoft")


def _endpoint(settings: Settings) -> Finding:
    """Whether Teams can reach us: a request without a token is refused, by Lotse itself."""
    check, base = "endpoint", settings.web.public_url
    cure = "set web.public_url to the address that Teams reaches, beginning with https://"
    if base is None:
        return Finding(check, "wrong", "web.public_url is not set, Teams cannot reach Lotse", cure)
    if not base.startswith("https://"):
        return Finding(check, "wrong", f"web.public_url is {base}; Teams sends to https only", cure)
    address = f"{base.rstrip('/')}{MESSAGES_PATH}"
    try:
        answer = httpx.post(address, json={}, timeout=SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        text = f"{address} does not answer ({type(error).__name__})"
        cure = "start Lotse, and let the reverse proxy pass this path to it; its certificate has to be a public one"
        return Finding(check, "wrong", text, cure)
    if answer.status_code == httpx.codes.UNAUTHORIZED and answer.headers.get("www-authenticate") == REALM:
        return Finding(check, "ok", f"{address} is Lotse; enter it as the Azure Bot's messaging endpoint")
    text = f"{address} answers {answer.status_code}, and it is not Lotse that does"
    cure = f"let the reverse proxy pass {MESSAGES_PATH} to Lotse, with the header Authorization"
    return Finding(check, "wrong", text, cure)


def _room(connector: Connector, places: Places, room: Room, *, has_graph: bool) -> Iterator[Finding]:
    """What one channel lacks; where nothing does, a card was posted there and taken away."""
    check, spot = f"{room.use}, channel {room.channel}", places.spot(Address("teams", room.channel))
    try:
        post = connector.post(spot.service_url, spot.target, card())
    except REFUSED as error:
        yield _trouble(check, error)
        return
    try:
        connector.delete(spot.service_url, spot.target, post)
    except REFUSED as error:
        text = f"the test card could not be taken away ({error})"
        yield Finding(check, "wrong", text, f"delete it by hand; it says: {CARD_TEXT}")
        return
    yield Finding(check, "ok", "a test card was posted and taken away")
    if has_graph:
        yield _reading(connector, check, spot)


def card() -> dict[str, Any]:
    return activity_of(TeamsMessage(notice(CARD_TEXT), CARD_TEXT))


def _reading(connector: Connector, check: str, spot: Spot) -> Finding:
    """Whether posts of the channel can be looked up after a crash."""
    if spot.group is None:
        text = "the team is not known yet, so posts cannot be looked up after a crash"
        return Finding(check, "warning", text, "while Lotse runs, take it out of the team and add it again")
    try:
        connector.graph(graph.Thread(spot.group, spot.conversation or "", None).path, **{"$top": "1"})
    except (*REFUSED, ValueError) as error:
        text = f"what stands in the channel may not be read ({error})"
        cure = "a team owner has to agree to ChannelMessage.Read.Group: take Lotse out of the team and add it again"
        return Finding(check, "warning", text, f"{cure}; or set teams.graph_url to null")
    return Finding(check, "ok", "what stands in the channel can be read")


def _trouble(check: str, error: Exception) -> Finding:
    if isinstance(error, Unreachable):
        return Finding(check, "wrong", f"Lotse is not in this team, or may not post there ({error})", ADD_CURE)
    if isinstance(error, NotFound | NotDrawn):
        cure = f"copy the channel's link and take the id from it, as {DOCS} shows: 19:...@thread.tacv2"
        return Finding(check, "wrong", f"there is no such channel ({error})", cure)
    reason = error.reason if isinstance(error, TryAgain) else str(error)
    cure = NO_ANSWER_CURE.format(address="teams.service_urls")
    return Finding(check, "wrong", f"Teams does not take a post now ({reason})", cure)
