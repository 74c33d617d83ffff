"""Makes .venv ready: `set_up.py run` to use Lotse, `set_up.py test` to work on it. Standard library only.

Nothing is done twice: a stamp in .venv holds the hash of what was installed completely. An interrupted set-up is
begun anew, two at once wait for each other. The Python that runs this is the one .venv is made with.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / "lotse-unfinished"

LOCKS = {"run": ("requirements.lock",), "test": ("requirements.lock", "requirements-dev.lock")}
SIZES = {"run": "1.8 GB, one to three minutes", "test": "0.3 GB more, half a minute"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_SECONDS = 600


def main() -> None:
    """Ends with 0 when everything is there, with 1 and pip's own words when something cannot be installed."""
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit("usage: set_up.py run|test")
    try:
        with alone():
            make_ready(sys.argv[1])
    except subprocess.CalledProcessError as error:
        sys.exit(f"Set-up failed at: {' '.join(map(str, error.cmd))}")
    except KeyboardInterrupt:
        sys.exit("Set-up interrupted; the next start begins it anew.")


def make_ready(purpose: str) -> None:
    """Bring .venv to what `purpose` needs."""
    if not is_ready("run"):
        make_venv()
        install("run")
    if purpose == "test":
        if not is_ready("test"):
            install("test")
        find_browser()


def is_ready(purpose: str) -> bool:
    """Whether exactly what the lock files name is installed, for this folder (a moved .venv is broken)."""
    stamp = VENV / f"lotse-{purpose}"
    return stamp.is_file() and stamp.read_text("utf-8") == wanted(purpose) and not UNFINISHED.exists()


def wanted(purpose: str) -> str:
    """What the stamp holds: the folder and the hash of all that decides what is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    decisive = str(project) + "".join((ROOT / name).read_text("utf-8") for name in LOCKS[purpose])
    return f"{ROOT} {hashlib.sha256(decisive.encode()).hexdigest()}"


def make_venv() -> None:
    """A fresh .venv, unless there is a usable one."""
    if not is_usable():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        step(f"Making .venv with Python {version}", sys.executable, "-m", "venv", "--clear", VENV)


def is_usable() -> bool:
    """Whether .venv has a Python that runs and was not left half filled or moved here."""
    if not PYTHON.exists() or UNFINISHED.exists():
        return False
    stamp = VENV / "lotse-run"
    if stamp.is_file() and stamp.read_text("utf-8").rpartition(" ")[0] != str(ROOT):
        return False
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603


def install(purpose: str) -> None:
    """Install the pins and the project itself, then set the stamp."""
    UNFINISHED.touch()
    locks = [argument for name in LOCKS[purpose] for argument in ("-r", str(ROOT / name))]
    # -qq keeps errors and drops warnings; compiling with all cores afterwards is faster than pip's one.
    pip = (PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", "--no-compile")
    step(f"Installing what Lotse needs to {purpose} ({SIZES[purpose]})", *pip, *locks)
    step("Installing Lotse itself", *pip, "--no-deps", "-e", ROOT)
    say("Compiling it ...")
    run(PYTHON, "-m", "compileall", "-qq", "-j", "0", VENV / "lib", check=False)  # templates in it do not compile
    (VENV / f"lotse-{purpose}").write_text(wanted(purpose), "utf-8")
    UNFINISHED.unlink()


def find_browser() -> None:
    """Fetch Playwright's Chromium when there is no other; without one the browser tests skip and say so."""
    if any(map(shutil.which, BROWSERS)) or any(playwright_folder().glob("chromium-*")):
        return
    say("Fetching a browser for the browser tests (0.4 GB) ...")
    try:
        run(PYTHON, "-m", "playwright", "install", "chromium", timeout=BROWSER_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        say("No browser could be had: the browser tests will be skipped. Any installed Chromium will do.")


def playwright_folder() -> Path:
    """Where Playwright keeps its browsers."""
    default = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / default / "ms-playwright")


def step(what: str, *command: object) -> None:
    """Say what is done, do it, say how long it took."""
    say(f"{what} ...")
    started = time.monotonic()
    run(*command)
    say(f"  done in {time.monotonic() - started:.0f} s")


def run(*command: object, check: bool = True, timeout: float | None = None) -> None:
    """Run a command with its errors shown."""
    subprocess.run(list(map(str, command)), cwd=ROOT, check=check, timeout=timeout)  # noqa: S603 - our own commands


def say(line: str) -> None:
    """One line for the person who waits."""
    print(line, flush=True)


@contextmanager
def alone() -> Iterator[None]:
    """Only one set-up at a time in this folder."""
    with (ROOT / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running here; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
