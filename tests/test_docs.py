"""What is documented exists, and what exists is documented."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer.main

from bot.cli import app
from bot.config_file import read_config
from bot.settings import Settings, load_settings
from bot.settings_faults import setting_names
from bot.wording import sensitive_topic

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config.yml"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS = sorted(setting_names(Settings))
TABLES = ("handoff.queues", "handoff.categories", "service.hours", "service.first_response_minutes", "sensitive")


def commands(command: Any, words: tuple[str, ...] = ("lotse",)) -> Iterator[str]:
    """The full names of all commands below one; typer brings its own click, so its groups are known by their shape."""
    if not hasattr(command, "commands"):
        yield " ".join(words)
        return
    for name, below in command.commands.items():
        yield from commands(below, (*words, name))


def make_targets() -> list[str]:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return [f"make {name}" for name in phony.split()]


COMMANDS = [*commands(typer.main.get_command(app)), *make_targets()]


def code_in(page: Path) -> str:
    """What a page sets as code: the part that people copy."""
    text = page.read_text("utf-8")
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`|^ {4,}\S[^\n]*$", text, re.DOTALL | re.MULTILINE))


def comment_above(name: str) -> str:
    """The comment directly above a setting, or above the small table it stands in."""
    key = tuple(name.split("."))
    line = read_config(CONFIG).lines[key]
    above = CONFIG.read_text("utf-8").splitlines()[line - 2].strip()
    if len(key) > 2 and not above.startswith("#"):
        return comment_above(name.rpartition(".")[0])
    return above.removeprefix("#") if above.startswith("#") else ""


@pytest.mark.parametrize("name", sorted({*SETTINGS, *Settings.model_fields}))
def test_every_setting_stands_in_the_settings_file_with_a_comment(name: str) -> None:
    assert len(comment_above(name)) > 10


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert any(re.search(rf"{command}\b", code_in(page)) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    told = re.findall(r"\b(lotse(?: [a-z][a-z-]+){1,2}|make [a-z]+)\b", code_in(page))
    groups = {" ".join(command.split()[:2]) for command in COMMANDS}
    known = {*COMMANDS, *groups}
    assert [words for words in told if words not in known and " ".join(words.split()[:2]) not in COMMANDS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_in_the_docs_exists(page: Path) -> None:
    sections = "|".join(Settings.model_fields)
    told = re.findall(rf"(?<![\w./])(?:{sections})\.[a-z_]+(?:\.[a-z_-]+)?(?![\w./(])", code_in(page))
    assert [name for name in told if not is_setting(name) and not is_code(name)] == []


def is_code(name: str) -> bool:
    """Whether the docs may mean a file or a function: `handoff.py`, `knowledge.search`."""
    last = name.rpartition(".")[2]
    return last in {"py", "yml", "md", "json", "db"} or last in names_in_code()


@cache
def names_in_code() -> frozenset[str]:
    files = [file for package in ("bot", "nlu", "kb_index", "handoff") for file in (ROOT / package).rglob("*.py")]
    defined = {name for file in files for name in re.findall(r"(?:def|class) (\w+)", file.read_text("utf-8"))}
    return frozenset(defined | {file.stem for file in files})


def is_setting(name: str) -> bool:
    below = any(name.startswith(f"{table}.") for table in TABLES)
    return below or name in SETTINGS or any(setting.startswith(f"{name}.") for setting in SETTINGS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_that_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def headings(page: Path) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    told = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in told}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_leads_to_one_that_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", page.read_text("utf-8"))
    assert [(name, part) for name, part in links if part not in headings(page.parent / name if name else page)] == []


def examples_in(page: Path) -> list[str]:
    """The parts of a settings file that a page shows, each as a file of its own."""
    blocks = re.findall(r"(?:^ {4}[^\n]*\n)+", page.read_text("utf-8"), re.MULTILINE)
    return [text for text in map(dedent, blocks) if re.match(rf"({'|'.join(Settings.model_fields)}):\n", text)]


@pytest.mark.parametrize("name", ["slack.md", "teams.md"])
def test_an_example_of_the_docs_can_be_used_as_the_whole_file(name: str, tmp_path: Path) -> None:
    examples = examples_in(ROOT / "docs" / name)
    assert len(examples) > 1
    for text in examples:
        (tmp_path / "config.yml").write_text(text, "utf-8")
        variables = dict.fromkeys(re.findall(r"_env: (\w+)", text), "only for the tests")
        settings = load_settings(tmp_path / "config.yml", variables)
        assert sensitive_topic("My boss harasses me", settings.sensitive) == "harassment"
        assert [note.text for note in settings.notes] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_this_machine(page: Path) -> None:
    assert re.findall(r"/(?:root|home)/|\.\./shared", page.read_text("utf-8")) == []
