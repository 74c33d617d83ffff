"""The four packages are ours, and each imports only what it may."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "nlu", "kb_index", "handoff")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    command = [sys.executable, "-c", code, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's Python files, to be spoiled."""
    for package in PACKAGES:
        skipped = shutil.ignore_patterns("__pycache__", "rasa", "static", "templates")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=skipped)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("package", PACKAGES)
def test_the_name_is_ours_and_not_another_distributions(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_shipped(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_the_distribution_can_never_be_uploaded() -> None:
    assert "Private :: Do Not Upload" in metadata("lotse").get_all("Classifier", [])


def test_lotse_is_the_console_script() -> None:
    (script,) = entry_points(group="console_scripts", name="lotse")
    assert script.value == "bot.cli:main"


def test_imports_go_in_one_direction() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


PLANTED = {
    "handoff imports bot": ("handoff/desk.py", "import bot.replies", "handoff.desk -> bot.replies"),
    "knowledge imports handoff": ("kb_index/search.py", "import handoff.models", "kb_index.search -> handoff.models"),
    "understanding imports knowledge": ("nlu/port.py", "import kb_index.port", "nlu.port -> kb_index.port"),
    "replies import the engine": ("bot/replies.py", "import bot.engine", "bot.replies -> bot.engine"),
    "the engine imports a channel": ("bot/engine.py", "import bot.channels.web", "bot.engine -> bot.channels.web"),
}


@pytest.mark.parametrize(("file", "line", "found"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_caught(copy: Path, file: str, line: str, found: str) -> None:
    spoiled = copy / file
    spoiled.write_text(spoiled.read_text("utf-8") + f"\n{line}\n", "utf-8")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert found in done.stdout


def dependencies() -> list[str]:
    project = PROJECT["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


def test_every_dependency_says_what_it_is_needed_for() -> None:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    silent = [d for d in dependencies() if not any(f'"{d}"' in line and "# needed for: " in line for line in lines)]
    assert silent == []


def pins() -> dict[str, str]:
    text = "".join((ROOT / name).read_text("utf-8") for name in ("requirements.lock", "requirements-dev.lock"))
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def plain_name(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@pytest.mark.parametrize("requirement", dependencies(), ids=plain_name)
def test_every_dependency_is_pinned_in_a_lock(requirement: str) -> None:
    assert plain_name(requirement) in pins()


def test_torch_is_pinned_without_a_build() -> None:
    assert pins()["torch"] == "2.13.0"


def test_no_file_names_a_machine_or_an_index() -> None:
    locks = [ROOT / name for name in ("requirements.lock", "requirements-dev.lock", "Makefile", "tools/set_up.py")]
    assert [path.name for path in locks if re.search(r"https?://|--index|--find-links|file:", path.read_text())] == []
