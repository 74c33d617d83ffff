"""Opens the database: SQLite for one machine, PostgreSQL for many; transactions that cannot lose an update."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

BUSY_SECONDS = 30


class Sessions(sessionmaker[Session]):
    """`with sessions.begin() as session:` writes, `with sessions() as session:` only reads (a write raises).

    Writers of one process queue on a lock: on SQLite that doubles the throughput against letting them meet in the file.
    """

    def __init__(self, engine: Engine, **options: Any) -> None:
        super().__init__(engine, expire_on_commit=False, **options)
        self.engine = engine
        self.writer = threading.Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def begin(self) -> Iterator[Session]:
        if self.writer is not None and not self.writer.acquire(timeout=2 * BUSY_SECONDS):
            raise TimeoutError("the database stayed locked: another transaction of this process did not end")
        try:
            with self(info={"write": True}) as session, session.begin():
                yield session
        finally:
            if self.writer is not None:
                self.writer.release()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str) -> Sessions:
    """Open the database at an SQLAlchemy URL (`sqlite:///file` or `postgresql+psycopg://...`). Creates no tables."""
    return Sessions(make_engine(url))


def make_engine(url: str) -> Engine:
    """An engine with the settings that were found to lose nothing; see docs/decisions.

    Parameters are hidden: an error that tells them would carry the texts of messages into the log.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20, hide_parameters=True)
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=20, hide_parameters=True
    )
    event.listen(engine, "connect", prepare_sqlite)
    return engine


def prepare_sqlite(connection: Any, record: object) -> None:
    """WAL lets readers pass writers; FULL, because NORMAL can lose an acknowledged message when the power goes."""
    connection.isolation_level = None  # we begin transactions ourselves, see begin_transaction
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Session, "after_begin")
def begin_transaction(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Writers take the lock at their start: a read that later wants to write would lose updates on SQLite."""
    if transaction.nested:
        return  # a savepoint begins inside what has begun already
    writes = session.info.get("write", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif not writes:
        connection.execute(text("SET TRANSACTION READ ONLY"))


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the newest (or a named) migration."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # a table is rebuilt by copying it
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(alembic_config(connection), revision)
    finally:
        engine.dispose()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
