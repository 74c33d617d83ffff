"""What Lotse writes about itself: ids, counts and times, never what people wrote, nor their names."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from bot.settings import LogSettings

OURS = ("bot", "nlu", "kb_index", "handoff")
# Their INFO lines hold addresses with tokens, SQL with what people wrote, or nothing anybody needs.
QUIET = (
    *("faiss", "pypdf", "httpx", "httpcore", "sqlalchemy", "alembic"),
    *("sentence_transformers", "transformers", "urllib3", "markdown_it", "uvicorn.error"),
    *("slack_bolt", "slack_sdk", "aiohttp", "microsoft_teams", "msal"),
)
USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up_logging(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every record through one handler (standard error by default). Serve uvicorn with `log_config=None`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else Lines())
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[settings.level]))


def discreet(record: logging.LogRecord) -> logging.LogRecord:
    """The record without what people wrote: foreign exceptions by their type, requests without query and address."""
    quiet = logging.makeLogRecord(vars(record))
    if isinstance(record.args, tuple):
        quiet.args = tuple(said(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    if record.name == "uvicorn.access" and isinstance(record.args, tuple) and len(record.args) == 5:
        _, method, path, version, status = record.args
        quiet.args = ("request", method, str(path).partition("?")[0], version, status)
    return quiet


def said(error: BaseException) -> str:
    """What may be told of an exception: our own speak for themselves, a foreign one's text may quote a message."""
    kind = type(error)
    if kind.__module__.partition(".")[0] in OURS:
        return f"{kind.__name__}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind.__name__}: {error.strerror}"
    return kind.__name__


class Lines(logging.Formatter):
    """`2026-03-01 08:00:00.123Z INFO bot.worker: handled message 12 took=0.2`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, a traceback below it."""
        record = discreet(record)
        more = "".join(f" {name}={value}" for name, value in extras(record).items())
        line = f"{written_at(record)} {record.levelname} {record.name}: {record.getMessage()}{more}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the name in logging.Formatter
        """Where it happened, without the text of foreign exceptions."""
        return "".join(steps(ei[1])).rstrip()


class JsonLines(Lines):
    """The same as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; what it carries beside its message becomes fields."""
        record = discreet(record)
        fields: dict[str, Any] = {
            "time": written_at(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What was given with `extra=`."""
    return {name: value for name, value in vars(record).items() if name not in USUAL}


def written_at(record: logging.LogRecord) -> str:
    """The record's time in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}Z"


def steps(error: BaseException | None) -> list[str]:
    """The places an exception went through, its causes first."""
    if error is None:
        return []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*steps(cause), *traceback.format_tb(error.__traceback__), f"{said(error)}\n"]
