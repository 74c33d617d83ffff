"""Every setting of Lotse with its type and its default; read from config.yml, unknown keys are errors."""

import hashlib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
)

from bot.config_file import ConfigFile, Fault, Key, SettingsError, dotted, read_config
from bot.settings_faults import blame_all, blame_secrets, suggest
from handoff.service_hours import WEEKDAYS, ServiceHours
from nlu.port import Language

__all__ = ["Settings", "SettingsError", "check_may_serve", "load_settings", "settings_hash"]

PLATFORMS = ("web", "console", "slack", "teams")
DATABASES = ("sqlite", "postgresql+psycopg")
PRIORITIES = {1, 2, 3, 4, 5}
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TEAM_CHANNEL = re.compile(r"19:[^\s;/?#]+@thread\.(tacv2|skype)")


def _two_times(value: Any) -> Any:
    """`[8:00, 17:00]`; pydantic alone would take 8 for eight seconds past midnight."""
    ends = list(value) if isinstance(value, list | tuple) else []
    if len(ends) != 2 or not all(isinstance(end, time) or re.fullmatch(r"\d?\d:\d\d", str(end)) for end in ends):
        raise ValueError("must be two times: [08:00, 17:00]")
    return tuple(end if isinstance(end, time) else end.zfill(5) for end in ends)


def _web_address(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise ValueError("must be an address that begins with http:// or https://")
    return value


Share = Annotated[float, Field(gt=0, lt=1)]
Assurance = Annotated[float, Field(ge=0.5, le=0.95)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Hours = Annotated[tuple[time, time], BeforeValidator(_two_times)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageSettings(Section):
    default: Language = "de"
    address: Literal["du", "sie"] = "sie"


class DatabaseSettings(Section):
    url: str = "sqlite:///var/lotse.db"
    password_env: str | None = None


class AnsweringSettings(Section):
    max_wrong: Share = 0.15
    assurance: Assurance = 0.9
    merge_window: Seconds = 2.0
    ask_facts: bool = True
    facts_timeout: Seconds = 180.0
    feedback_hours: float = Field(default=8.0, gt=0)


class KnowledgeSettings(Section):
    model: str = "all-MiniLM-L6-v2"
    embedder: Literal["onnx", "torch"] = "onnx"
    cache: Path = Path("var/knowledge")


class NluSettings(Section):
    use_rasa: bool = True
    environment: Path = Path(".venv-rasa")
    models: Path = Path("var/nlu")
    url: WebAddress | None = None
    token_env: str | None = None
    timeout: Seconds = 1.0


class Queue(Section):
    channel: str
    platform: str = "web"
    workspace: str | None = None


class HandoffSettings(Section):
    reply: Literal["conversation", "explicit"] = "conversation"
    language: Language = "de"
    note_prefixes: tuple[str, ...] = ("//", "🔒")
    queues: Annotated[dict[str, Queue], Field(min_length=1)] = {"service-desk": Queue(channel="desk")}
    default_queue: str = "service-desk"
    categories: dict[str, str] = {"other": "service-desk"}
    third_level: Queue = Queue(channel="third-level")
    reopen_days: float = Field(default=7.0, ge=0)


class ServiceSettings(Section):
    timezone: ZoneInfo = ZoneInfo("Europe/Berlin")
    hours: dict[str, Hours] = {day: (time(8), time(17)) for day in WEEKDAYS[:5]}
    country: str | None = "DE"
    state: str | None = None
    first_response_minutes: dict[int, int] = {1: 15, 2: 30, 3: 120, 4: 240, 5: 480}

    @field_validator("hours")
    @classmethod
    def _known_days(cls, hours: dict[str, tuple[time, time]]) -> dict[str, tuple[time, time]]:
        for day, (start, end) in hours.items():
            if day not in WEEKDAYS:
                raise ValueError(f"'{day}' is not a day: use {', '.join(WEEKDAYS)}")
            if start >= end:
                raise ValueError(f"{day}: the end must be after the start")
        return hours

    @field_validator("first_response_minutes")
    @classmethod
    def _every_priority(cls, minutes: dict[int, int]) -> dict[int, int]:
        if set(minutes) != PRIORITIES or min(minutes.values()) < 1:
            raise ValueError("must name minutes, 1 or more, for each of the priorities 1, 2, 3, 4 and 5")
        return minutes

    def service_hours(self) -> ServiceHours:
        """The hours as the ticket desk uses them."""
        return ServiceHours(self.hours, self.timezone, self.country, self.state)

    def first_response(self, priority: int) -> timedelta:
        """Service time until a person reacts to a ticket of this priority (1 to 5)."""
        return timedelta(minutes=self.first_response_minutes[priority])


class SensitiveTopic(Section):
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    queue: str | None = None


class WebSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: WebAddress | None = None
    sign_in: Literal["demo", "none"] = "demo"
    people: Path = Path("demo/people.yml")
    session_secret_env: str | None = None
    upload_limit_mb: int = Field(default=10, ge=1, le=100)


class SlackSettings(Section):
    mode: Literal["socket", "http"] | None = None
    bot_token_env: str | None = None
    app_token_env: str | None = None
    signing_secret_env: str | None = None
    client_id: str | None = None
    client_secret_env: str | None = None
    token_key_env: str | None = None
    workspaces: tuple[str, ...] = ()
    help_channels: tuple[str, ...] = ()
    api_base_url: WebAddress = "https://slack.com/api/"


class TeamsSettings(Section):
    app_id: str | None = None
    tenant_id: str | None = None
    credential: Literal["secret", "managed_identity"] = "secret"
    client_secret_env: str | None = None
    tenants: tuple[str, ...] = ()
    help_channels: tuple[str, ...] = ()
    playground: bool = False
    openid_metadata_url: WebAddress = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    login_url: WebAddress = "https://login.microsoftonline.com"
    graph_url: WebAddress | None = "https://graph.microsoft.com"
    service_urls: Annotated[tuple[WebAddress, ...], Field(min_length=1)] = (
        "https://smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net/",
    )

    @property
    def is_on(self) -> bool:
        """Whether Lotse is in Teams at all."""
        return self.app_id is not None or self.playground

    def is_service_url(self, address: str) -> bool:
        """Whether an address is Teams' own: Lotse sends its token there, and takes messages from there."""
        return any(f"{address.rstrip('/')}/".startswith(f"{one.rstrip('/')}/") for one in self.service_urls)


class WorkerSettings(Section):
    threads: int = Field(default=2, ge=1, le=32)
    lease_seconds: float = Field(default=30.0, ge=5)
    handle_attempts: int = Field(default=3, ge=1)


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """The whole of config.yml."""

    language: LanguageSettings = LanguageSettings()
    database: DatabaseSettings = DatabaseSettings()
    answering: AnsweringSettings = AnsweringSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    nlu: NluSettings = NluSettings()
    handoff: HandoffSettings = HandoffSettings()
    service: ServiceSettings = ServiceSettings()
    sensitive: dict[str, SensitiveTopic] = {}
    web: WebSettings = WebSettings()
    slack: SlackSettings = SlackSettings()
    teams: TeamsSettings = TeamsSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    _secrets: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    def secret(self, variable: str | None) -> str | None:
        """The value of an environment variable that a setting names (`settings.secret(settings.nlu.token_env)`)."""
        return self._secrets[variable].get_secret_value() if variable else None

    def database_url(self) -> str:
        """The database's address with its password, for opening it; never to be shown or logged."""
        password = self.secret(self.database.password_env)
        if password is None:
            return self.database.url
        from sqlalchemy import make_url  # noqa: PLC0415 - a quarter of a second that only PostgreSQL needs

        return make_url(self.database.url).set(password=password).render_as_string(hide_password=False)


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a settings file; what it does not name has its default.

    Raises SettingsError with every fault in it: unknown and repeated keys, wrong values, secrets in the file,
    variables that are not set, queues that do not exist.
    """
    file = read_config(path)
    # A section whose settings are all commented out is written as `web:` and means its defaults.
    values = {name: value for name, value in file.values.items() if value is not None or name not in _sections()}
    blame_secrets(file, environ)
    settings = Settings()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        blame_all(file, error, Settings)
    for key, text in _contradictions(settings):
        file.blame(key, text)
    if file.faults:
        raise SettingsError(file.name, file.faults)
    settings._secrets.update(_named_secrets(file, environ))
    return settings


def check_may_serve(settings: Settings) -> None:
    """Raises SettingsError where people could reach Lotse over the network and be anyone they choose to be."""
    if not _is_loopback(settings.web.host):
        text = (
            f"web.host is {settings.web.host}, which others can reach, but there is no sign-in for a network yet "
            f"(web.sign_in is {settings.web.sign_in}): everyone could act as anyone. Set web.host to 127.0.0.1"
        )
        raise SettingsError("config.yml", [Fault(None, "web.host", text)])


def settings_hash(settings: Settings) -> str:
    """Twelve hex digits that change with any setting that can change an answer, and with no other."""
    decisive = settings.model_dump_json(exclude={"web", "slack", "teams", "worker", "log", "database"})
    return hashlib.sha256(decisive.encode()).hexdigest()[:12]


def _sections() -> set[str]:
    return set(Settings.model_fields)


def _named_secrets(file: ConfigFile, environ: Mapping[str, str]) -> dict[str, SecretStr]:
    named = (value for key, value in file.scalars() if str(key[-1]).endswith("_env") and value is not None)
    return {name: SecretStr(environ[name]) for name in named}


def _contradictions(settings: Settings) -> Iterator[tuple[Key, str]]:
    """What is right by itself and wrong together: the setting to blame, and why."""
    yield from _unknown_queues(settings)
    yield from _unusable_places(settings)
    yield from _unfinished_slack(settings)
    yield from _unfinished_teams(settings)
    yield from _unknown_holidays(settings.service)
    reason = _unusable_database(settings.database.url)
    if reason:
        yield ("database", "url"), f"database.url {reason}"


def _unknown_queues(settings: Settings) -> Iterator[tuple[Key, str]]:
    handoff = settings.handoff
    named: list[tuple[Key, str | None]] = [(("handoff", "default_queue"), handoff.default_queue)]
    named += [(("handoff", "categories", category), queue) for category, queue in handoff.categories.items()]
    named += [(("sensitive", topic, "queue"), entry.queue) for topic, entry in settings.sensitive.items()]
    for key, queue in named:
        if queue is not None and queue not in handoff.queues:
            hint = suggest(queue, handoff.queues) or f"; there are: {', '.join(handoff.queues)}"
            yield key, f"{dotted(key)} names the queue '{queue}', which is not in handoff.queues{hint}"


def _unfinished_slack(settings: Settings) -> Iterator[tuple[Key, str]]:
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


def _help_where_agents_work(settings: Settings, platform: str, channels: tuple[str, ...]) -> Iterator[tuple[Key, str]]:
    rooms = {room.channel for room in (*settings.handoff.queues.values(), settings.handoff.third_level)}
    for channel in rooms & set(channels):
        text = f"{platform}.help_channels names {channel}, where agents work: nothing said there would be a question"
        yield (platform, "help_channels"), text


def _unfinished_teams(settings: Settings) -> Iterator[tuple[Key, str]]:
    """What Teams needs beside `teams.app_id`, and where to find it; what can be read as someone unknown is refused."""
    teams = settings.teams
    where = "; docs/teams.md says where to find it"
    if teams.playground and teams.app_id is not None:
        text = "is for trying on this machine, without any sign-in; it cannot be combined with teams.app_id"
        yield ("teams", "playground"), f"teams.playground {text}. Set it to false"
    if teams.app_id is not None:
        if not GUID.fullmatch(teams.app_id):
            yield ("teams", "app_id"), "teams.app_id must be the bot's Microsoft App ID, as 8-4-4-4-12 hex digits"
        if teams.tenant_id is None:
            yield ("teams", "app_id"), f"teams.app_id needs teams.tenant_id{where}"
        if teams.credential == "secret" and teams.client_secret_env is None:
            yield ("teams", "app_id"), f"teams.app_id needs teams.client_secret_env{where}"
    named = [(("teams", "tenant_id"), teams.tenant_id)] + [(("teams", "tenants"), tenant) for tenant in teams.tenants]
    for key, tenant in named:
        if tenant is not None and not GUID.fullmatch(tenant):
            yield key, f"{dotted(key)} must be an Entra tenant ID, as 8-4-4-4-12 hex digits, not '{tenant}'"
    addresses = {
        "service_urls": teams.service_urls,
        "login_url": (teams.login_url,),
        "openid_metadata_url": (teams.openid_metadata_url,),
        "graph_url": (teams.graph_url,) if teams.graph_url else (),
    }
    for name, urls in addresses.items():
        for url in urls:
            if not url.startswith("https://") and not _is_loopback(urlsplit(url).hostname or ""):
                yield ("teams", name), f"teams.{name} must begin with https://; only this machine itself may be http"
    yield from _help_where_agents_work(settings, "teams", teams.help_channels)


def _unusable_places(settings: Settings) -> Iterator[tuple[Key, str]]:
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
    if handoff.third_level in handoff.queues.values():
        text = "handoff.third_level.channel is the channel of a queue too; third level needs its own"
        yield ("handoff", "third_level", "channel"), text


def _unusable_team_channel(teams: TeamsSettings, key: Key, queue: Queue) -> Iterator[tuple[Key, str]]:
    if not teams.is_on:
        yield (*key, "platform"), f"{dotted(key)}.platform is 'teams', but teams.app_id is not set; see docs/teams.md"
    if not TEAM_CHANNEL.fullmatch(queue.channel):
        text = f"is '{queue.channel}', but a channel of Teams has an id like 19:...@thread.tacv2"
        yield (*key, "channel"), f"{dotted(key)}.channel {text}; docs/teams.md says where to find it"


def _unknown_holidays(service: ServiceSettings) -> Iterator[tuple[Key, str]]:
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
