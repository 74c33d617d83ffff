"""Settings that are right by themselves and wrong together: what to blame, and why."""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import holidays

from bot.config_file import Key, dotted
from bot.settings_faults import suggest

if TYPE_CHECKING:
    from bot.settings import Queue, ServiceSettings, Settings, TeamsSettings

PLATFORMS = ("web", "console", "slack", "teams")
DATABASES = ("sqlite", "postgresql+psycopg")
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
WHERE = "; docs/teams.md says where to find it"
TEAM_CHANNEL = re.compile(r"19:[^\s;/?#]+@thread\.(tacv2|skype)")


def contradictions(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """What is right by itself and wrong together: the setting to blame, and why."""
    yield from _unknown_queues(settings)
    yield from _unusable_places(settings)
    yield from _unfinished_slack(settings)
    yield from _unfinished_teams(settings)
    yield from _unknown_holidays(settings.service)
    reason = _unusable_database(settings.database.url)
    if reason:
        yield ("database", "url"), f"database.url {reason}"


def _unknown_queues(settings: "Settings") -> Iterator[tuple[Key, str]]:
    handoff = settings.handoff
    named: list[tuple[Key, str | None]] = [(("handoff", "default_queue"), handoff.default_queue)]
    if "categories" in handoff.model_fields_set:
        named += [(("handoff", "categories", category), queue) for category, queue in handoff.categories.items()]
    named += [(("sensitive", topic, "queue"), entry.queue) for topic, entry in settings.sensitive.items()]
    for key, queue in named:
        if queue is not None and queue not in handoff.queues:
            hint = suggest(queue, handoff.queues) or f"; there are: {', '.join(handoff.queues)}"
            yield key, f"{dotted(key)} names the queue '{queue}', which is not in handoff.queues{hint}"


def _unfinished_slack(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """What Slack needs beside `slack.mode`, and where to find it."""
    slack = settings.slack
    if slack.mode is None:
        return
    wanted = {
        "app_token_env": slack.mode == "socket",
        "signing_secret_env": slack.mode == "http" or slack.client_id is not None,
        "client_secret_env": slack.client_id is not None,
        "token_key_env": slack.client_id is not None,
        "bot_token_env": slack.client_id is None,
    }
    for name in (name for name, is_wanted in wanted.items() if is_wanted and getattr(slack, name) is None):
        yield ("slack", "mode"), f"slack.mode '{slack.mode}' needs slack.{name}; docs/slack.md says where to find it"
    if slack.client_id and settings.web.public_url is None:
        yield ("slack", "client_id"), "slack.client_id needs web.public_url: Slack sends people back to it"
    yield from _help_where_agents_work(settings, "slack", slack.help_channels)


def _help_where_agents_work(
    settings: "Settings", platform: str, channels: tuple[str, ...]
) -> Iterator[tuple[Key, str]]:
    rooms = {room.channel for room in (*settings.handoff.queues.values(), settings.handoff.third_level)}
    for channel in rooms & set(channels):
        text = f"{platform}.help_channels names {channel}, where agents work: nothing said there would be a question"
        yield (platform, "help_channels"), text


def _unfinished_teams(settings: "Settings") -> Iterator[tuple[Key, str]]:
    """What Teams needs beside `teams.app_id`, and where to find it; what can be read as someone unknown is refused."""
    teams = settings.teams
    if teams.playground and teams.app_id is not None:
        text = "is for trying on this machine, without any sign-in; it cannot be combined with teams.app_id"
        yield ("teams", "playground"), f"teams.playground {text}. Set it to false"
    if teams.app_id is not None:
        if not GUID.fullmatch(teams.app_id):
            yield ("teams", "app_id"), "teams.app_id must be the bot's Microsoft App ID, as 8-4-4-4-12 hex digits"
        if teams.tenant_id is None:
            yield ("teams", "app_id"), f"teams.app_id needs teams.tenant_id{WHERE}"
        if teams.credential == "secret" and teams.client_secret_env is None:
            yield ("teams", "app_id"), f"teams.app_id needs teams.client_secret_env{WHERE}"
    named = [(("teams", "tenant_id"), teams.tenant_id)] + [(("teams", "tenants"), tenant) for tenant in teams.tenants]
    for key, tenant in named:
        if tenant is not None and not GUID.fullmatch(tenant):
            yield key, f"{dotted(key)} must be an Entra tenant ID, as 8-4-4-4-12 hex digits, not '{tenant}'"
    yield from _open_addresses(teams)
    for channel in teams.help_channels:
        if not _can_be_team_channel(teams, channel):
            yield ("teams", "help_channels"), f"teams.help_channels names {_no_team_channel(channel)}"
    yield from _help_where_agents_work(settings, "teams", teams.help_channels)


def _open_addresses(teams: "TeamsSettings") -> Iterator[tuple[Key, str]]:
    """Addresses to which our token would go for everybody to read."""
    addresses = {
        "service_urls": teams.service_urls,
        "login_url": (teams.login_url,),
        "openid_metadata_url": (teams.openid_metadata_url,),
        "graph_url": (teams.graph_url,) if teams.graph_url else (),
    }
    for name, urls in addresses.items():
        for url in urls:
            if not url.startswith("https://") and not is_loopback(urlsplit(url).hostname or ""):
                yield ("teams", name), f"teams.{name} must begin with https://; only this machine itself may be http"


def _unusable_places(settings: "Settings") -> Iterator[tuple[Key, str]]:
    handoff, slack = settings.handoff, settings.slack
    places: list[tuple[Key, Queue]] = [(("handoff", "queues", name), queue) for name, queue in handoff.queues.items()]
    for key, queue in [*places, (("handoff", "third_level"), handoff.third_level)]:
        if queue.platform not in PLATFORMS:
            hint = suggest(queue.platform, PLATFORMS) or f"; there are: {', '.join(PLATFORMS)}"
            yield (*key, "platform"), f"{dotted(key)}.platform '{queue.platform}' is not known{hint}"
        if queue.platform == "slack" and slack.mode is None:
            yield (*key, "platform"), f"{dotted(key)}.platform is 'slack', but slack.mode is not set; see docs/slack.md"
        if queue.platform == "teams":
            yield from _unusable_team_channel(settings.teams, key, queue)
        elif queue.platform in PLATFORMS and (found := team_channel_in(queue.channel)):
            text = f"is a channel of Teams, but its platform is '{queue.platform}'"
            cure = f"write channel: {found} and platform: teams"
            yield (*key, "channel"), f"{dotted(key)}.channel {text}; {cure}"
    if handoff.third_level in handoff.queues.values():
        text = "handoff.third_level.channel is the channel of a queue too; third level needs its own"
        yield ("handoff", "third_level", "channel"), text


def _unusable_team_channel(teams: "TeamsSettings", key: Key, queue: "Queue") -> Iterator[tuple[Key, str]]:
    if not teams.is_on:
        yield (*key, "platform"), f"{dotted(key)}.platform is 'teams', but teams.app_id is not set; see docs/teams.md"
    if not _can_be_team_channel(teams, queue.channel):
        yield (*key, "channel"), f"{dotted(key)}.channel is {_no_team_channel(queue.channel)}"


def _no_team_channel(written: str) -> str:
    """What stands where a channel's id should, and the id, where that is the channel's link or a part of it."""
    found = team_channel_in(written)
    cure = f"; this one's is {found}" if found else WHERE
    return f"'{written}', but a channel of Teams has an id like 19:...@thread.tacv2{cure}"


def team_channel_in(written: str) -> str | None:
    """The id of a channel of Teams in what was written: by itself, as it stands in a link, or in a whole link."""
    found = TEAM_CHANNEL.search(unquote(unquote(written)))
    return found.group() if found else None


def _can_be_team_channel(teams: "TeamsSettings", channel: str) -> bool:
    """Whether it has the shape of a channel's id; a playground gives its channels other ones."""
    return teams.playground or TEAM_CHANNEL.fullmatch(channel) is not None


def _unknown_holidays(service: "ServiceSettings") -> Iterator[tuple[Key, str]]:
    if service.country is None:
        return
    known = holidays.list_supported_countries()
    if service.country not in known:
        text = f"service.country '{service.country}' is not known; write two letters such as DE, AT, CH or GB, or null"
        yield ("service", "country"), text
    elif service.state is not None and service.state not in known[service.country]:
        states = ", ".join(known[service.country]) or "none"
        yield ("service", "state"), f"service.state '{service.state}' is not known; {service.country} has: {states}"


def _unusable_database(url: str) -> str | None:
    """Why a database address cannot be used, as the rest of a sentence; None when it can."""
    scheme, colon, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"} and colon:
        return f"must name its driver: postgresql+psycopg://{rest.rpartition('@')[2]}"
    if scheme not in DATABASES or not colon:
        return "must be sqlite:///var/lotse.db or postgresql+psycopg://user@host:5432/lotse"
    if scheme == "sqlite" and rest in {"", "/", "/:memory:"}:
        return "would forget everything at the end; name a file: sqlite:///var/lotse.db"
    return None if scheme == "sqlite" else _unusable_server(url)


def _unusable_server(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        named = bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        return f"cannot be read ({error}); write postgresql+psycopg://user@host:5432/lotse"
    return None if named else "names no database; write postgresql+psycopg://user@host:5432/lotse"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
