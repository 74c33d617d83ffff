"""A whole Lotse behind its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from visits import Visit, Visits
from world import World, build_world


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "lotse.db"
    shutil.copy(sqlite_template, file)
    built = build_world(f"sqlite:///{file}", tmp_path)
    yield built
    built.app.house.sessions.close()


@pytest.fixture
def visit(world: World) -> Iterator[Visits]:
    """`visit("jette")` is Jette's browser; `visit(None)` one in which nobody has signed in."""
    opened: list[Visit] = []

    def open_browser(person: str | None) -> Visit:
        opened.append(Visit(world, person))
        return opened[-1]

    yield open_browser
    for browser in opened:
        browser.http.close()
