"""Looks whether Slack is set up as Lotse needs it: every check says what is wrong and what to do."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.channels.findings import MOST_CLOCK_SECONDS, Finding, Room, clock, rooms
from bot.channels.port import TryAgain
from bot.channels.slack.workspaces import UnknownWorkspace, Workspaces, WrongToken, bot_scopes, error_code, patient
from bot.settings import Settings

EVENT_TYPE = "lotse_doctor"
CARD_TEXT = "Lotse prüft diesen Kanal. / Lotse is checking this channel."
REFUSED = (SlackApiError, OSError, TryAgain)
INVITE = "write /invite @Lotse in the channel"
CURES = {
    "channel_not_found": "check the id (Slack: the channel's name > About > at the end of the page); a private channel "
    f"is found only by its members: {INVITE}",
    "not_in_channel": INVITE,
    "is_archived": "unarchive it in Slack, or name another channel in config.yml",
    "restricted_action": "posting is restricted there: allow Lotse in the channel's settings under posting permissions",
    "missing_scope": 'put slack/manifest.yml into the app\'s page "App Manifest", install the app again and export the '
    "token, if it is a new one",
    "invalid_auth": "see what is said of the token of that workspace",
    "ratelimited": "too many calls just now: wait a minute and run this again",
}
ANOTHER_CURE = "look the word up on docs.slack.dev, under the errors of the method"
NO_ANSWER_CURE = "check that this machine reaches slack.api_base_url (network, HTTPS_PROXY), then run this again"


@dataclass
class Card:
    """A test card; ts is None as long as it is not known to stand there."""

    key: str
    since: float
    ts: str | None = None


def examine(workspaces: Workspaces, settings: Settings, now: Callable[[], float] = time.time) -> list[Finding]:
    """Ask Slack about everything Lotse needs, and leave nothing behind there. Raises WrongKey."""
    return list(_findings(workspaces, settings, now))


def _findings(workspaces: Workspaces, settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    if settings.slack.mode is None:
        yield Finding("settings", "wrong", "slack.mode is not set", "set it to socket or http; see docs/slack.md")
        return
    yield from _settings(settings)
    if settings.slack.mode == "socket":
        yield _app_token(workspaces, settings)
    teams, trouble = _teams(workspaces)
    yield from trouble
    usable = []
    for team in teams:
        found = list(_workspace(workspaces, team, now))
        usable += [team] if found[0].state == "ok" else []
        yield from found
    if usable:
        for room in rooms(settings, "slack", settings.slack.help_channels):
            yield from _room(workspaces, room, usable)


def _settings(settings: Settings) -> Iterator[Finding]:
    slack = settings.slack
    yield Finding(
        "settings",
        "ok",
        f"slack.mode is {slack.mode}, {len(rooms(settings, 'slack', settings.slack.help_channels))} channels are named",
    )
    if slack.mode == "http":
        if settings.secret(slack.signing_secret_env):
            yield Finding("signing secret", "ok", f"{slack.signing_secret_env} is set")
        else:
            cure = 'export the "Signing Secret" of the page "Basic Information" and name it in slack.signing_secret_env'
            yield Finding("signing secret", "wrong", "there is none: nothing that Slack sends is accepted", cure)
    if slack.mode == "http" or slack.client_id:
        yield _public_address(settings.web.public_url)


def _public_address(url: str | None) -> Finding:
    cure = "set web.public_url to the address that Slack reaches, beginning with https://"
    if url is None:
        return Finding("public address", "wrong", "web.public_url is not set, Slack cannot reach Lotse", cure)
    if not url.startswith("https://"):
        return Finding("public address", "wrong", f"web.public_url is {url}; Slack sends to https only", cure)
    return Finding("public address", "ok", f"Slack sends to {url.rstrip('/')}/slack/events")


def _app_token(workspaces: Workspaces, settings: Settings) -> Finding:
    variable = settings.slack.app_token_env
    token = settings.secret(variable) or ""
    try:
        workspaces.new_client(token, patient()).apps_connections_open(app_token=token)
    except REFUSED as error:
        cure = (
            'make an app-level token with the scope connections:write on the page "Basic Information" (it begins with '
            f"xapp-) and export it as {variable}"
        )
        return _trouble("app token", f"the token in {variable} opens no connection", error, cure)
    return Finding("app token", "ok", f"{variable} opens a connection")


def _teams(workspaces: Workspaces) -> tuple[list[str], list[Finding]]:
    try:
        teams = workspaces.teams()
        if not teams:
            workspaces.identity(None)
    except WrongToken as error:
        text, _, cure = str(error).partition("; ")
        return [], [Finding("token", "wrong", text, cure)]
    except UnknownWorkspace as error:
        text, _, cure = str(error).partition(": ")
        return [], [Finding("token", "wrong", text, cure)]
    except TryAgain:
        return [], [Finding("token", "wrong", "Slack does not answer", NO_ANSWER_CURE)]
    return teams, []


def _workspace(workspaces: Workspaces, team: str, now: Callable[[], float]) -> Iterator[Finding]:
    """Token, scopes and clock of one workspace; the token's finding comes first."""
    try:
        name = workspaces.identity(team).team_name
        answer = workspaces.reader(team).auth_test()
    except WrongToken as error:
        text, _, cure = str(error).partition("; ")
        yield Finding("token", "wrong", text, cure)
        return
    except REFUSED as error:
        yield _trouble("token", f"the token of the workspace {team} cannot be checked", error)
        return
    yield Finding("token", "ok", f"Lotse is in the workspace {name} ({team})")
    headers = {key.lower(): value for key, value in answer.headers.items()}
    yield _scopes(headers.get("x-oauth-scopes"), team)
    yield clock(headers.get("date"), now, "Slack")


def _scopes(told: str | None, team: str) -> Finding:
    if told is None:
        return Finding("scopes", "warning", f"Slack does not say which scopes the token of {team} has")
    missing = set(bot_scopes()) - {scope.strip() for scope in told.split(",")}
    if not missing:
        return Finding("scopes", "ok", f"all {len(bot_scopes())} scopes are granted in {team}")
    return Finding("scopes", "wrong", f"missing in {team}: {', '.join(sorted(missing))}", CURES["missing_scope"])


def _room(workspaces: Workspaces, room: Room, teams: list[str]) -> Iterator[Finding]:
    """What one channel lacks; where nothing does, a card is posted there, read back and taken away."""
    check = f"{room.use}, channel {room.channel}"
    team, told = _look_up(workspaces, room, teams)
    if not isinstance(told, dict):
        yield _trouble(check, "it cannot be found", told)
        return
    name = told.get("name") or room.channel
    if told.get("is_archived"):
        yield Finding(check, "wrong", f"#{name} is archived", CURES["is_archived"])
        return
    if not told.get("is_member"):
        yield Finding(check, "wrong", f"Lotse is not a member of #{name}", INVITE)
        return
    if room.hand_off and not told.get("is_private"):
        text = f"#{name} is public: everybody in the workspace can read the tickets"
        yield Finding(check, "warning", text, "make the channel private in its settings, unless that is wanted")
    yield from _card(workspaces, team, room.channel, check, name)


def _look_up(workspaces: Workspaces, room: Room, teams: list[str]) -> tuple[str, dict[str, Any] | Exception]:
    """(workspace, what conversations.info tells), or the last error where no workspace has the channel."""
    trouble: Exception = UnknownWorkspace("no workspace can be asked")
    candidates = [room.workspace] if room.workspace else teams
    for team in candidates:
        try:
            return team, dict(workspaces.reader(team).conversations_info(channel=room.channel)["channel"])
        except (*REFUSED, UnknownWorkspace, WrongToken) as error:
            trouble = error
    return candidates[-1], trouble


def _card(workspaces: Workspaces, team: str, channel: str, check: str, name: str) -> list[Finding]:
    """Post a card, read it back, take it away; whatever happens in between."""
    card = Card(uuid.uuid4().hex, time.time() - MOST_CLOCK_SECONDS)
    try:
        found = [_post_and_find(workspaces, team, channel, card, check, name)]
    except REFUSED as error:
        what = "the test card cannot be read back" if card.ts else "posting is not possible"
        found = [_trouble(check, f"#{name}: {what}", error)]
    finally:
        gone = _take_away(workspaces, team, channel, card)
    if not gone:
        text = f"#{name}: the test card could not be taken away"
        found.append(Finding(check, "wrong", text, f"delete it by hand; it says: {CARD_TEXT}"))
    return found


def _post_and_find(workspaces: Workspaces, team: str, channel: str, card: Card, check: str, name: str) -> Finding:
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": card.key}}
    posted = workspaces.poster(team).chat_postMessage(
        channel=channel, text=CARD_TEXT, metadata=metadata, unfurl_links=False, unfurl_media=False
    )
    card.ts = str(posted["ts"])
    if _find_card(workspaces, team, channel, card) == card.ts:
        return Finding(check, "ok", f"#{name}: a test card was posted, read back and taken away")
    cure = "run this again; if it stays so, what was posted cannot be found again after a fault"
    return Finding(check, "wrong", f"#{name}: the test card cannot be found again by its metadata", cure)


def _find_card(workspaces: Workspaces, team: str, channel: str, card: Card) -> str | None:
    """The ts of the card with this key."""
    answer = workspaces.reader(team).conversations_history(
        channel=channel, oldest=f"{card.since:.6f}", include_all_metadata=True, limit=100
    )
    for message in answer["messages"]:
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("key") == card.key:
            return str(message["ts"])
    return None


def _take_away(workspaces: Workspaces, team: str, channel: str, card: Card) -> bool:
    """Whether no card is left. Where posting ended without an answer, it may stand there all the same."""
    try:
        ts = card.ts or _find_card(workspaces, team, channel, card)
        if ts is not None:
            workspaces.reader(team).chat_delete(channel=channel, ts=ts)
    except SlackApiError as error:
        return card.ts is None or error_code(error) == "message_not_found"
    except OSError:
        return False
    return True


def _trouble(check: str, what: str, error: Exception, cure: str | None = None) -> Finding:
    if isinstance(error, SlackApiError):
        code = error_code(error)
        known = next((text for word, text in CURES.items() if code.startswith(word)), ANOTHER_CURE)
        return Finding(check, "wrong", f"{what}: {code}", CURES[code] if code == "ratelimited" else cure or known)
    if isinstance(error, UnknownWorkspace | WrongToken):
        return Finding(check, "wrong", f"{what}: {error}", "see the findings above")
    return Finding(check, "wrong", f"{what}: Slack does not answer", NO_ANSWER_CURE)
