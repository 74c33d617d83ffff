"""The command line: what it prints, and how it ends."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import create_engine, inspect

from bot.cli import main
from bot.terminal import is_expected

ROOT = Path(__file__).parents[2]
COMMANDS = [
    [], ["run"], ["chat"], ["check-config"], ["kb"], ["kb", "import"], ["kb", "search"], ["kb", "status"], ["nlu"],
    ["nlu", "train"], ["db"], ["db", "upgrade"], ["doctor"], ["doctor", "slack"], ["doctor", "teams"], ["slack"],
    ["slack", "key"], ["teams"], ["teams", "package"], ["evaluate"], ["calibrate"], ["explain"],
]  # fmt: skip
ARTICLE = "---\ntitle: {title}\nlanguage: en\n---\n\n{text}\n"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Lotse = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder Lotse is started in, with the shipped settings."""
    shutil.copy(ROOT / "config.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LOTSE_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def lotse(home: Path, capsys: pytest.CaptureFixture[str]) -> Lotse:
    def run(*arguments: str) -> Ended:
        code = main(list(arguments))
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


def spoil(home: Path, old: str, new: str) -> None:
    config = home / "config.yml"
    text = config.read_text("utf-8")
    assert old in text
    config.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(lotse: Lotse, command: list[str]) -> None:
    ended = lotse(*command, "--help")
    assert ended.code == 0
    assert "Usage: lotse" in ended.out
    assert command in (["kb"], ["nlu"], ["db"], ["doctor"], ["slack"], ["teams"]) or "Examples:" in ended.out


def test_the_version_is_printed(lotse: Lotse) -> None:
    ended = lotse("--version")
    assert ended.code == 0
    assert re.fullmatch(r"lotse \d+\.\d+\.\d+\n", ended.out)


@pytest.mark.parametrize(
    "arguments", [["chekc"], ["run", "--port", "http"], ["run", "--port", "70000"], ["kb", "import"]]
)
def test_wrong_use_ends_with_2(lotse: Lotse, arguments: list[str]) -> None:
    ended = lotse(*arguments)
    assert ended.code == 2
    assert "Usage: lotse" in ended.err


@pytest.mark.parametrize(("end", "code"), [(SystemExit(), 0), (SystemExit(4), 4), (SystemExit("no"), 1)])
def test_who_is_asked_to_end_ends_well(monkeypatch: pytest.MonkeyPatch, end: SystemExit, code: int) -> None:
    def serve(*_: object, **__: object) -> None:
        raise end

    monkeypatch.setattr("bot.cli.app", serve)
    assert main([]) == code


def test_good_settings_are_said_to_be_fine(lotse: Lotse) -> None:
    ended = lotse("check-config")
    assert ended.code == 0
    assert re.fullmatch(r"config\.yml is fine \(settings [0-9a-f]{12}\)\n", ended.out)


def test_good_settings_as_json(lotse: Lotse) -> None:
    found = json.loads(lotse("check-config", "--json").out)
    assert found["ok"] is True
    assert found["faults"] == found["notes"] == []
    assert re.fullmatch(r"[0-9a-f]{12}", found["settings_hash"])


def test_settings_that_may_not_be_meant_can_be_used_and_are_named(lotse: Lotse, home: Path) -> None:
    (home / "other.yml").write_text("log: {level: INFO}\nsensitive: {}\n", "utf-8")
    ended = lotse("check-config", "--config", "other.yml")
    first, note = ended.out.splitlines()
    assert ended.code == 0
    assert first.startswith("other.yml can be used (settings ")
    assert note.startswith("Note: other.yml line 2: sensitive is empty, it has nothing of security, personnel, ")
    found = json.loads(lotse("check-config", "--config", "other.yml", "--json").out)
    assert found["ok"] is True
    assert [(one["line"], one["key"]) for one in found["notes"]] == [(2, "sensitive")]


def test_that_something_may_not_be_meant_is_logged_at_the_start(
    lotse: Lotse, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "other.yml").write_text("sensitive: {}\n", "utf-8")
    monkeypatch.setattr("bot.app.build_app", Mock())
    ended = lotse("run", "--config", "other.yml", "--port", "0")
    assert ended.code == 0
    assert "WARNING bot.cli: the settings may not be meant as they are (1): see lotse check-config" in ended.err
    assert "may not be meant" not in lotse("run", "--port", "0").err


def test_wrong_settings_end_with_3_and_one_sentence(lotse: Lotse, home: Path) -> None:
    spoil(home, "  port: 8080", "  prot: 8080")
    ended = lotse("check-config")
    assert ended.code == 3
    assert re.fullmatch(r"Error: config\.yml line \d+: web\.prot is not a setting; did you mean port\?\n", ended.err)


def test_wrong_settings_as_json_name_line_and_setting(lotse: Lotse, home: Path) -> None:
    spoil(home, "  port: 8080", "  prot: 8080")
    ended = lotse("check-config", "--json")
    (fault,) = json.loads(ended.out)["faults"]
    assert ended.code == 3
    assert fault["key"] == "web.prot"
    assert (home / "config.yml").read_text("utf-8").splitlines()[fault["line"] - 1] == "  prot: 8080"


@pytest.mark.parametrize("command", [["run"], ["chat"], ["kb", "status"], ["db", "upgrade"], ["nlu", "train"]])
def test_no_command_starts_with_wrong_settings(lotse: Lotse, home: Path, command: list[str]) -> None:
    spoil(home, "  port: 8080", "  prot: 8080")
    assert lotse(*command).code == 3


def test_a_missing_secret_is_named_with_its_export(lotse: Lotse, home: Path) -> None:
    spoil(home, "  session_secret_env: null", "  session_secret_env: LOTSE_TEST_UNSET")
    ended = lotse("run")
    assert ended.code == 3
    assert "export LOTSE_TEST_UNSET='...'" in ended.err


def test_a_settings_file_that_is_not_there_ends_with_3(lotse: Lotse) -> None:
    ended = lotse("check-config", "--config", "other.yml")
    assert ended.code == 3
    assert "other.yml: cannot be read" in ended.err


def test_the_settings_file_can_be_named_by_a_variable(lotse: Lotse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTSE_CONFIG", "other.yml")
    assert "other.yml: cannot be read" in lotse("check-config").err


def test_lotse_does_not_serve_a_network_without_sign_in(lotse: Lotse) -> None:
    ended = lotse("run", "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    assert ended.code == 3
    assert "there is no sign-in for a network yet" in ended.err


def test_the_database_is_created(lotse: Lotse, home: Path) -> None:
    assert lotse("db", "upgrade").code == 0
    assert lotse("db", "upgrade").code == 0
    engine = create_engine(f"sqlite:///{home / 'var' / 'lotse.db'}")
    assert {"ticket", "article"} <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_database_that_cannot_be_opened_ends_with_1_and_one_sentence(lotse: Lotse, home: Path) -> None:
    (home / "var").mkdir()
    (home / "var" / "lotse.db").mkdir()
    ended = lotse("db", "upgrade")
    assert ended.code == 1
    assert ended.err == "Error: the database cannot be used: unable to open database file\n"


def test_an_error_nobody_expects_keeps_its_traceback() -> None:
    assert not is_expected(ZeroDivisionError())
    assert is_expected(PermissionError())


def test_help_and_settings_load_no_heavy_module() -> None:
    code = "import sys; from bot.cli import main; main(['check-config']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert {"torch", "sklearn", "faiss", "sqlalchemy", "fastapi", "lingua"} & set(done.stdout.split()) == set()


def test_python_dash_m_bot_is_lotse() -> None:
    command = [sys.executable, "-m", "bot", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("lotse ")


@pytest.mark.real
def test_a_folder_is_taken_in_asked_and_counted(lotse: Lotse, home: Path) -> None:
    folder = home / "handbook"
    folder.mkdir()
    (folder / "vpn.md").write_text(ARTICLE.format(title="Connect to the VPN", text="Open the client, press Connect."))
    (folder / "scan.md").write_text(ARTICLE.format(title="Scan a document", text="Put the page into the feeder."))
    first, second = (json.loads(lotse("kb", "import", "handbook", "--json").out) for _ in range(2))
    assert (first["added"], first["embedded_passages"]) == (2, 2)
    assert (second["unchanged"], second["embedded_passages"]) == (2, 0)

    found = json.loads(lotse("kb", "search", "how do I connect to the VPN?", "--json").out)
    assert found["hits"][0]["title"] == "Connect to the VPN"
    assert found["language"] == "en"
    assert "Connect to the VPN" in lotse("kb", "search", "VPN", "--lang", "en").out

    assert json.loads(lotse("kb", "status", "--json").out)["articles"] == 2
    assert "2 articles" in lotse("kb", "status").out


@pytest.mark.real
def test_a_broken_file_is_told_and_the_rest_taken_in(lotse: Lotse, home: Path) -> None:
    folder = home / "handbook"
    folder.mkdir()
    (folder / "vpn.md").write_text(ARTICLE.format(title="Connect to the VPN", text="Open the client, press Connect."))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    ended = lotse("kb", "import", "handbook")
    assert ended.code == 1
    assert "1 new" in ended.out
    assert "not taken in: handbook/broken.pdf:" in ended.err


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "said"),
    [("missing", "not taken in: missing: the folder cannot be read"), ("empty", "nothing found: empty")],
)
def test_a_folder_with_nothing_in_it_is_no_success(lotse: Lotse, home: Path, folder: str, said: str) -> None:
    (home / "empty").mkdir()
    ended = lotse("kb", "import", folder)
    assert ended.code == 1
    assert said in ended.err
