"""Writes requirements.lock and requirements-dev.lock anew: the newest versions that pyproject.toml allows, pinned.

Run by `make lock`. pip resolves, nothing is installed; what each package is there for stands beside its pin.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
HEADER = "# {what} Written by `make lock` from pyproject.toml with Python {python}; do not edit.\n"
RUN = "What `make run` installs."
DEV = "What `make test` and `make check` install on top of requirements.lock."
Package = dict[str, Any]


def main() -> None:
    """Resolve both sets and write both files. A failing pip ends this with its own words."""
    run = resolve(".")
    dev = resolve(".[dev]", constraints=[pin(package) for package in run])
    known = {name(package) for package in run}
    write(ROOT / "requirements.lock", RUN, run, run)
    write(ROOT / "requirements-dev.lock", DEV, [package for package in dev if name(package) not in known], dev)


def resolve(wanted: str, constraints: list[str] | None = None) -> list[Package]:
    """Every package pip would install for `wanted`, the project itself included."""
    with tempfile.TemporaryDirectory() as folder:
        report, pins = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        pins.write_text("\n".join(constraints or []), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed"]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "--report", str(report), "-c", str(pins), wanted], cwd=ROOT, check=False
        )
        if done.returncode:
            sys.exit(done.returncode)
        found: list[Package] = json.loads(report.read_text("utf-8"))["install"]
        return found


def write(path: Path, what: str, packages: list[Package], everything: list[Package]) -> None:
    """One pin a line, in order of name, with the packages that ask for it."""
    lines = [
        f"{pin(package):<44}# via {', '.join(asked_by(package, everything))}\n"
        for package in sorted(packages, key=name)
        if name(package) != "lotse"
    ]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    path.write_text(HEADER.format(what=what, python=python) + "".join(lines), "utf-8")
    print(f"{path.name}: {len(lines)} packages")


def name(package: Package) -> str:
    """The name in the one spelling that compares."""
    return canonicalize_name(package["metadata"]["name"])


def pin(package: Package) -> str:
    """`name==version`, without the build (`+cpu`), which only one index has."""
    return f"{name(package)}=={package['metadata']['version'].partition('+')[0]}"


def asked_by(package: Package, everything: list[Package]) -> list[str]:
    """The names of all packages that require this one."""
    extras = asked_extras(everything)
    return sorted({name(other) for other in everything if name(package) in required(other, extras)})


def asked_extras(everything: list[Package]) -> dict[str, set[str]]:
    """The extras somebody asks for, by package: `uvicorn[standard]` gives {"uvicorn": {"standard"}}."""
    extras: dict[str, set[str]] = {"lotse": {"dev"}}
    for package in everything:
        for requirement in requirements(package):
            if requirement.marker is None or requirement.marker.evaluate({"extra": "dev"}):
                extras.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return extras


def required(package: Package, extras: dict[str, set[str]]) -> set[str]:
    """The names of what a package requires here, with the extras it was asked for."""
    wanted = ["", *extras.get(name(package), ())]
    return {
        canonicalize_name(requirement.name)
        for requirement in requirements(package)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in wanted)
    }


def requirements(package: Package) -> Iterator[Requirement]:
    """What a package's metadata asks for, extras included."""
    return map(Requirement, package["metadata"].get("requires_dist", []))


if __name__ == "__main__":
    main()
