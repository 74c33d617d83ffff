"""Finding an interpreter for Rasa, and installing completely or again."""

import sys
from pathlib import Path

import pytest

from nlu.environment import REQUIREMENTS, Environment, InstallFailed, find_interpreter, install


def test_this_interpreter_is_taken_when_it_fits() -> None:
    found = find_interpreter()
    if sys.version_info[:2] in ((3, 10), (3, 11)):
        assert found == Path(sys.executable)


def test_without_the_stamp_an_environment_is_not_ready(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    assert not environment.is_ready()


def test_a_stamp_of_other_requirements_does_not_count(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment.stamp.write_text("of last year")
    assert not environment.is_ready()


def test_a_failed_step_is_told_and_leaves_no_stamp(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()
    (folder / "bin").write_text("in the way of the virtual environment")
    with pytest.raises(InstallFailed, match=r"^venv "):
        install(folder, progress=lambda line: None)
    assert not Environment(folder).stamp.exists()


def test_every_requirement_is_pinned_exactly() -> None:
    lines = [line.split(";")[0].strip() for line in REQUIREMENTS.read_text("utf-8").splitlines() if line.strip()]
    assert "rasa==3.6.21" in lines
    assert [line for line in lines if "==" not in line] == []
