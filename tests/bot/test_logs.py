"""Logs hold ids and counts: no message text, no names, no tokens."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config_file import Fault, SettingsError
from bot.logs import discreet, set_up_logging
from bot.settings import LogSettings

ROOT = Path(__file__).parents[2]
SECRET = "mein Passwort ist Sommer2026"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}

# The last word of what a log call may carry. A new one is a decision: it must be an id, a number, a time or a name
# that Lotse itself gave; never something a person wrote.
CARRIED = {
    "id", "ids", "number", "count", "len", "seconds", "wait", "version", "attempt", "attempts", "status", "state",
    "kind", "platform", "queue", "source", "port", "pid", "strerror", "reason", "error", "outcome", "__name__",
    "code", "type",  # a service's own word for what is wrong, and of which kind an activity is
}  # fmt: skip


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def logged(format_: str, write: object, level: str = "INFO") -> str:
    stream = io.StringIO()
    set_up_logging(LogSettings.model_validate({"format": format_, "level": level}), stream)
    assert callable(write)
    write()
    return stream.getvalue()


def fail_with(error: Exception) -> None:
    try:
        raise error
    except type(error):
        logging.getLogger("bot.engine").exception("message %d could not be handled", 12)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_text_of_a_foreign_exception_is_not_written(root_logger: logging.Logger, format_: str) -> None:
    written = logged(format_, lambda: fail_with(ValueError(SECRET)))
    assert "Sommer2026" not in written
    assert "message 12 could not be handled" in written
    assert "ValueError" in written
    assert "test_logs.py" in written


def test_the_cause_of_an_exception_is_not_quoted_either(root_logger: logging.Logger) -> None:
    def write() -> None:
        error = RuntimeError(SECRET)
        error.__cause__ = KeyError(SECRET)
        fail_with(error)

    written = logged("text", write)
    assert "Sommer2026" not in written
    assert "KeyError" in written
    assert "RuntimeError" in written


def test_an_exception_given_as_an_argument_is_named_by_its_type(root_logger: logging.Logger) -> None:
    written = logged("text", lambda: logging.getLogger("bot").warning("failed (%s)", ValueError(SECRET)))
    assert written.endswith("WARNING bot: failed (ValueError)\n")


def test_our_own_exceptions_say_why(root_logger: logging.Logger) -> None:
    error = SettingsError("config.yml", [Fault(3, "web.port", "web.port is wrong")])
    written = logged("text", lambda: logging.getLogger("bot").warning("failed (%s)", error))
    assert "SettingsError: config.yml line 3: web.port is wrong" in written


def test_requests_are_written_without_query_and_address(root_logger: logging.Logger) -> None:
    def write() -> None:
        line = '%s - "%s %s HTTP/%s" %d'
        logging.getLogger("uvicorn.access").info(line, "10.1.2.3:4711", "GET", "/kb?q=Gehalt+Meyer", "1.1", 200)

    written = logged("text", write)
    assert '"GET /kb HTTP/1.1" 200' in written
    assert "Meyer" not in written
    assert "10.1.2.3" not in written


def test_addresses_with_tokens_are_not_written(root_logger: logging.Logger) -> None:
    def write() -> None:
        logging.getLogger("httpx").info("HTTP Request: POST %s", "http://127.0.0.1:5005/model/parse?token=geheim")

    assert logged("text", write, level="DEBUG") == ""


def test_json_lines_carry_extra_fields(root_logger: logging.Logger) -> None:
    written = logged("json", lambda: logging.getLogger("bot").info("handled", extra={"message_id": 7}))
    entry = json.loads(written)
    assert (entry["message"], entry["message_id"], entry["level"], entry["logger"]) == ("handled", 7, "INFO", "bot")
    assert entry["time"].endswith("Z")


def test_the_level_is_kept(root_logger: logging.Logger) -> None:
    assert logged("text", lambda: logging.getLogger("bot").info("handled"), level="WARNING") == ""


def test_the_record_of_other_handlers_is_left_alone() -> None:
    record = logging.makeLogRecord({"name": "bot", "msg": "failed (%s)", "args": (ValueError(SECRET),)})
    discreet(record)
    assert "Sommer2026" in record.getMessage()


def log_calls(source: str) -> Iterator[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and is_logger(call.func.value):
            yield call


def is_logger(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id.strip("_").lower() in {"log", "logger"}


def last_word(node: ast.expr) -> str:
    """`ticket.requester.name` -> name, `len(hits)` -> len."""
    if isinstance(node, ast.Call):
        return last_word(node.func)
    if isinstance(node, ast.Subscript):
        return last_word(node.value)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name if name.startswith("__") else name.rpartition("_")[2]


def carried(call: ast.Call) -> list[ast.expr]:
    extra = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
    fields = [value for value in extra if isinstance(value, ast.Dict)]
    return [*call.args[1:], *(value for field in fields for value in field.values)]


def talkative(source: str) -> list[str]:
    """The log calls that carry something that is not known to be an id, a number or a time."""
    return [
        f"line {call.lineno}: {ast.unparse(value)}"
        for call in log_calls(source)
        for value in carried(call)
        if not isinstance(value, ast.Constant) and last_word(value) not in CARRIED
    ]


@pytest.mark.parametrize("package", ["bot", "nlu", "kb_index", "handoff"])
def test_log_calls_carry_ids_and_counts_only(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    assert [f"{file.name} {found}" for file in files for found in talkative(file.read_text("utf-8"))] == []


@pytest.mark.parametrize("call", ['logger.info("%s", message.text)', 'log.info("x", extra={"who": person.email})'])
def test_a_log_call_with_a_text_would_be_found(call: str) -> None:
    assert talkative(call)
