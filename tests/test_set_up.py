"""Set-up and CI: a machine without Python is told so, and CI lets no test be skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Tests as texts, written into a folder and run there: what CI must not let pass. Nothing is skipped here.
SKIPPED = {
    "by mark": "import pytest\n@pytest.mark.skip(reason='no Rasa')\ndef test_it(): pass\n",
    "in the body": "import pytest\ndef test_it(): pytest.skip('no Rasa')\n",
    "as a whole file": "import pytest\npytest.skip('no Rasa', allow_module_level=True)\n",
}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A make of its own, even when these tests are run by one."""
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    run = ["make", *arguments]
    return subprocess.run(run, cwd=ROOT, env=own, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the plugin and a file of tests to be written."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "ci_strict.py", tmp_path / "tests")
    return tmp_path


def strictly(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    (folder / "tests" / "test_it.py").write_text(tests, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.ci_strict", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("python", ["", "no-such-python"])
def test_a_missing_python_is_told_before_anything_is_done(python: str) -> None:
    done = make("run", f"PYTHON={python}")
    assert done.returncode == 2
    assert "Lotse needs Python 3.11 or newer" in done.stderr
    assert "make run PYTHON=/path/to/python3.11" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("tests", SKIPPED.values(), ids=SKIPPED)
def test_a_skipped_test_fails_in_ci_and_says_why(folder: Path, tests: str) -> None:
    done = strictly(folder, tests)
    assert done.returncode != 0
    assert "CI skips nothing." in done.stdout
    assert "no Rasa" in done.stdout


def test_an_expected_failure_is_no_skip(folder: Path) -> None:
    """The mark stands in a test that is written and run here, as those above."""
    done = strictly(folder, "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n")
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout


def test_ci_checks_tests_and_counts_skips() -> None:
    assert "-p tests.ci_strict" in make("--dry-run", "test", "CI=true").stdout
    assert "-p tests.ci_strict" not in make("--dry-run", "test", "CI=").stdout
    assert (ROOT / ".ci" / "run").read_text("utf-8").splitlines()[-2:] == ["make check", "make test"]
