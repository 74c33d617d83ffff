"""Finding or making the Python environment Rasa runs in: its own, because Rasa pins what Lotse needs newer."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nlu.examples import PROJECT

REQUIREMENTS = PROJECT / "requirements.txt"
FITTING = ("3.11", "3.10")
"""Python versions Rasa 3.6.21 runs on, best first."""

INSTALL_SECONDS = 1_800
Progress = Callable[[str], None]


class InstallFailed(Exception):  # noqa: N818 - reads as what happened
    """The Rasa environment could not be made; the text says at which step and why."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with Rasa in it, or the place for one."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that is written last: the hash of the requirements that are installed completely."""
        return self.folder / "lotse-installed"

    def is_ready(self) -> bool:
        """Whether exactly the pinned requirements are installed and compiled."""
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text("utf-8") == _wanted()


def find_interpreter() -> Path | None:
    """A Python 3.11 or 3.10: this one if it fits, else from PATH; None where none runs."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in FITTING:
        return Path(sys.executable)
    on_path = (shutil.which(f"python{version}") for version in FITTING)
    return next((Path(path) for path in on_path if path and _runs(path)), None)


def install(folder: Path, progress: Progress = print) -> Environment | None:
    """Make the environment, unless it is complete; None (with a word to `progress`) where no interpreter fits.

    Takes one to two minutes and 1.8 GB. An interrupted run is done again by the next one; two at once wait for
    each other. Raises InstallFailed.
    """
    environment = Environment(folder.absolute())
    if environment.is_ready():
        return environment
    interpreter = find_interpreter()
    if interpreter is None:
        progress(f"Rasa needs Python {' or '.join(FITTING)}, and there is none: the embedded understander will serve.")
        return None
    with _alone(environment.folder):
        if not environment.is_ready():
            _build(environment, interpreter, progress)
    return environment


def _build(environment: Environment, interpreter: Path, progress: Progress) -> None:
    python = str(environment.python)
    progress(f"Making the Rasa environment in {environment.folder.name} with {interpreter.name} (1.8 GB, once) ...")
    environment.stamp.unlink(missing_ok=True)
    _step("venv", [str(interpreter), "-m", "venv", str(environment.folder)])
    progress("Installing Rasa ...")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    # Rasa's own metadata asks for Python < 3.11 and for connectors that are never used: the pins are complete.
    pinned = ["--no-deps", "--ignore-requires-python", "-r", str(REQUIREMENTS)]
    _step("pip", [python, "-m", "pip", "install", *quiet, *pinned])
    progress("Compiling it (server start 8 s instead of 30 s) ...")
    # Some packages carry templates that are not Python: what does not compile is not needed compiled.
    _step("compileall", [python, "-m", "compileall", "-q", "-j", "0", str(environment.folder / "lib")], may_fail=True)
    environment.stamp.write_text(_wanted(), "utf-8")
    progress("The Rasa environment is ready.")


def _step(name: str, command: list[str], may_fail: bool = False) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallFailed(f"{name}: {error}") from error
    if done.returncode and not may_fail:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise InstallFailed(f"{name} ended with {done.returncode}: {' '.join(errors[-5:])}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lotse-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _runs(python: str) -> bool:
    """A pyenv shim is on PATH for versions that are not installed; it has to be tried."""
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, timeout=30, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False


def _wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def main() -> None:
    """`python -m nlu.environment FOLDER`: ends with 0 also where no interpreter fits, with 1 when installing fails."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nlu.environment FOLDER")
    try:
        install(Path(sys.argv[1]), progress=lambda line: print(line, flush=True))  # noqa: T201 - a command's output
    except InstallFailed as error:
        sys.exit(f"The Rasa environment could not be made, the embedded understander will serve. {error}")


if __name__ == "__main__":
    main()
