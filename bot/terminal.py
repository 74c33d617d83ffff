"""What all commands share: options, output, exit codes."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bot.settings import Settings, SettingsError, load_settings

OK, FAILED, USAGE, CONFIGURATION, INTERRUPTED = 0, 1, 2, 3, 130
OURS = ("bot", "nlu", "kb_index", "handoff")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="LOTSE_CONFIG", help="The settings file.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
CONFIG = Path("config.yml")


def settings_from(config: Path) -> Settings:
    """The settings in a file and the environment. Raises SettingsError."""
    return load_settings(config, os.environ)


def out() -> Console:
    """Standard output: what was asked for."""
    return Console(highlight=False, soft_wrap=True)


def err() -> Console:
    """Standard error: progress and trouble."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def check_target(path: Path) -> None:
    """Raises OSError where no file could be written, before there is work to lose."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"{path} may not be written; change its permissions or name another file")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def complain(error: Exception) -> int:
    """Tell an expected error in its own words and return the exit code for it."""
    code = CONFIGURATION if isinstance(error, SettingsError) else FAILED
    err().print(f"[bold red]Error:[/] {escape(words_of(error))}")
    return code


def is_expected(error: Exception) -> bool:
    """Whether an error explains itself: one of ours, a file or port that cannot be had, a database out of reach."""
    ours = type(error).__module__.partition(".")[0] in OURS
    return ours or isinstance(error, OSError) or _is_database(error)


def words_of(error: Exception) -> str:
    """What to tell of an error; of the database only what it says itself, not the statement."""
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"there is no file {error.filename}"
    if not _is_database(error):
        return str(error) or type(error).__name__
    said = str(getattr(error, "orig", error)).strip()
    hint = " (lotse db upgrade creates the tables)" if "no such table" in said or "does not exist" in said else ""
    return f"the database cannot be used: {said}{hint}"


def _is_database(error: Exception) -> bool:
    """By name, because importing SQLAlchemy takes longer than most commands."""
    return any(kind.__name__ == "DBAPIError" for kind in type(error).__mro__)
