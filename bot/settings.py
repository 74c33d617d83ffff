"""Every setting of Lotse with its type and its default; read from config.yml, unknown keys are errors."""

import hashlib
import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

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

from bot.config_file import ConfigFile, Fault, SettingsError, read_config
from bot.settings_contradictions import contradictions, is_loopback
from bot.settings_defaults import QUEUES, default_categories, default_topics
from bot.settings_faults import blame_all, blame_secrets
from bot.settings_notes import notes_on
from handoff.service_hours import WEEKDAYS, ServiceHours
from nlu.port import Language

__all__ = ["Settings", "SettingsError", "check_may_serve", "load_settings", "settings_hash"]

PRIORITIES = {1, 2, 3, 4, 5}


def _two_times(value: Any) -> Any:
    """`[8:00, 17:00]`; pydantic alone would take 8 for eight seconds past midnight."""
    ends = list(value) if isinstance(value, list | tuple) else []
    if len(ends) != 2 or not all(isinstance(end, time) or re.fullmatch(r"\d?\d:\d\d", str(end)) for end in ends):
        raise ValueError("must be two times: [08:00, 17:00]")
    return tuple(end if isinstance(end, time) else end.zfill(5) for end in ends)


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        readable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        readable = False
    if not readable or not re.fullmatch(r"https?://\S+", value):
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


def _categories(values: dict[str, Any]) -> dict[str, str]:
    return default_categories(values["queues"], values["default_queue"])


class HandoffSettings(Section):
    reply: Literal["conversation", "explicit"] = "conversation"
    language: Language = "de"
    note_prefixes: tuple[str, ...] = ("//", "🔒")
    queues: Annotated[dict[str, Queue], Field(min_length=1)] = {
        name: Queue(channel=channel) for name, channel in QUEUES.items()
    }
    default_queue: str = "service-desk"
    categories: dict[str, str] = Field(default_factory=_categories)
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


def _topics(values: dict[str, Any]) -> dict[str, SensitiveTopic]:
    topics = default_topics(values["handoff"].queues)
    return {name: SensitiveTopic.model_validate(topic) for name, topic in topics.items()}


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
    app_id: Annotated[str, AfterValidator(str.lower)] | None = None  # as the service writes it in its tokens
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

    def takes_tenant(self, tenant: str | None) -> bool:
        """Whether people of a tenant may use this Lotse; where nothing is said of it, they may."""
        allowed = {one.lower() for one in (self.tenant_id, *self.tenants) if one}
        return not allowed or tenant is None or tenant.lower() in allowed

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
    sensitive: dict[str, SensitiveTopic] = Field(default_factory=_topics)
    web: WebSettings = WebSettings()
    slack: SlackSettings = SlackSettings()
    teams: TeamsSettings = TeamsSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    _secrets: dict[str, SecretStr] = PrivateAttr(default_factory=dict)
    _notes: tuple[Fault, ...] = PrivateAttr(default=())

    @property
    def notes(self) -> tuple[Fault, ...]:
        """What can be used and may not be meant, with its line in the file it was read from."""
        return self._notes

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
    for key, text in contradictions(settings):
        file.blame(key, text)
    if file.faults:
        raise SettingsError(file.name, file.faults)
    settings._secrets.update(_named_secrets(file, environ))
    settings._notes = tuple(file.fault(key, text) for key, text in notes_on(settings))
    return settings


def check_may_serve(settings: Settings) -> None:
    """Raises SettingsError where people could reach Lotse over the network and be anyone they choose to be."""
    if not is_loopback(settings.web.host):
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
