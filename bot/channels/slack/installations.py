"""The Slack workspaces Lotse is installed in, in its own database; their tokens are encrypted there."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import Connection, Dialect, Engine, MetaData, Table, Text, event, select
from sqlalchemy.types import TypeDecorator, TypeEngine

INSTALLATIONS, BOTS, STATES = "slack_installation", "slack_bot", "slack_oauth_state"
SEALED = ("bot_token", "bot_refresh_token", "user_token", "user_refresh_token", "incoming_webhook_url")
STATE_SECONDS = 600
log = logging.getLogger(__name__)


class WrongKey(Exception):  # noqa: N818 - it says what is wrong
    """The key for the workspaces' tokens is no key, or not the one they were encrypted with."""


class Encrypted(TypeDecorator[str]):
    """Text that only the keys open. Raises WrongKey when none of them fits."""

    impl = Text
    cache_ok = True

    def __init__(self, keys: MultiFernet) -> None:
        super().__init__()
        self.keys = keys

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.keys.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else opened(self.keys.decrypt, value)


def keys_from(value: str) -> list[Fernet]:
    """The keys in a variable, with commas between them: the first encrypts, each decrypts. Raises WrongKey."""
    try:
        keys = [Fernet(key.strip()) for key in value.split(",") if key.strip()]
    except ValueError:
        keys = []
    if not keys:
        raise WrongKey(
            "the variable that slack.token_key_env names holds no key: `lotse slack key` makes one; "
            "several are written with commas between them, the newest first"
        )
    return keys


def opened(open_it: Callable[[str], bytes], value: str) -> str:
    """The result of decrypting, or decrypting and encrypting anew. Raises WrongKey."""
    try:
        return open_it(value).decode()
    except InvalidToken:
        raise WrongKey(
            "the tokens of the Slack workspaces were encrypted with another key than the variable that "
            "slack.token_key_env names holds: add the former key behind a comma (new,former); without it, "
            "remove Lotse from the workspaces and install it there again"
        ) from None


def build_tables(metadata: MetaData, sealed: TypeEngine[Any]) -> dict[str, Table]:
    """The SDK's tables by name; their secret columns hold ciphertext, which is longer than the SDK allows for."""
    bots = SQLAlchemyInstallationStore.build_bots_table(metadata, BOTS)
    installations = SQLAlchemyInstallationStore.build_installations_table(metadata, INSTALLATIONS)
    states = SQLAlchemyOAuthStateStore.build_oauth_states_table(metadata, STATES)
    seal(bots, sealed)
    seal(installations, sealed)
    return {table.name: table for table in (bots, installations, states)}


def seal(table: Table, kind: TypeEngine[Any]) -> None:
    """Give the secret columns of a table another type."""
    for name in SEALED:
        if name in table.c:
            table.c[name].type = kind


metadata = MetaData()
AS_STORED = build_tables(metadata, Text())


def with_transactions(engine: Engine) -> Engine:
    """The same connections, for code that knows nothing of bot.db: on SQLite its transactions begin by themselves."""
    own = engine.execution_options()
    if own.dialect.name == "sqlite":
        event.listen(own, "begin", begin_writing)
    return own


def begin_writing(connection: Connection) -> None:
    """A connection may come from a session that only read, and is still shut for writing."""
    connection.exec_driver_sql("PRAGMA query_only=OFF")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class Installations(SQLAlchemyInstallationStore):
    """The SDK's store with encrypted tokens. Called from any thread; raises WrongKey when it reads."""

    def __init__(self, client_id: str, engine: Engine, keys: Sequence[Fernet]) -> None:
        super().__init__(client_id, with_transactions(engine), BOTS, INSTALLATIONS, log)
        self.first, self.keys = keys[0], MultiFernet(keys)
        seal(self.bots, Encrypted(self.keys))
        seal(self.installations, Encrypted(self.keys))

    def newest_bot(self, team_id: str) -> Bot | None:
        """The bot of a workspace, whichever organisation that belongs to."""
        columns = self.bots.c
        query = self.bots.select().where(columns.client_id == self.client_id, columns.team_id == team_id)
        query = query.where(columns.bot_token.is_not(None)).order_by(columns.installed_at.desc(), columns.id.desc())
        with self.engine.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return None if row is None else self.build_bot_entity(row)

    def teams(self) -> list[str]:
        """The ids of all workspaces, sorted."""
        columns = self.bots.c
        query = select(columns.team_id).where(columns.client_id == self.client_id, columns.bot_token.is_not(None))
        with self.engine.connect() as connection:
            return sorted({team for team in connection.scalars(query) if team})

    def reencrypt(self) -> int:
        """Encrypt with the first key what an older one still opens; how many values. Raises WrongKey."""
        with self.engine.begin() as connection:
            return sum(self._reencrypt(connection, AS_STORED[name]) for name in (BOTS, INSTALLATIONS))

    def _reencrypt(self, connection: Connection, table: Table) -> int:
        changed = 0
        for row in connection.execute(table.select()).mappings().all():
            values = {name: row[name] for name in SEALED if name in row and row[name] is not None}
            anew = {name: opened(self.keys.rotate, old) for name, old in values.items() if not self._is_new(old)}
            if anew:
                connection.execute(table.update().where(table.c.id == row["id"]).values(anew))
            changed += len(anew)
        return changed

    def _is_new(self, value: str) -> bool:
        try:
            self.first.decrypt(value)
        except InvalidToken:
            return False
        return True


class States(SQLAlchemyOAuthStateStore):
    """What proves that an installation was begun here. Each is good once, for ten minutes."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(STATE_SECONDS, with_transactions(engine), log, STATES)

    def issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state; those that ran out are swept away."""
        with self.engine.begin() as connection:
            connection.execute(self.oauth_states.delete().where(self.oauth_states.c.expire_at <= naive_now()))
        return str(super().issue(*args, **kwargs))

    def consume(self, state: str) -> bool:
        """Whether it was good; of two who try at the same time one succeeds."""
        columns = self.oauth_states.c
        spent = self.oauth_states.delete().where(columns.state == state, columns.expire_at > naive_now())
        with self.engine.begin() as connection:
            return connection.execute(spent).rowcount == 1


def naive_now() -> datetime:
    """Now in UTC, without its zone: the SDK's tables know none."""
    return datetime.now(UTC).replace(tzinfo=None)


class AsyncInstallations(AsyncInstallationStore):
    """The store for Bolt: the database is asked in a thread. changed is told the workspace after every write."""

    def __init__(self, store: Installations, changed: Callable[[str | None], None]) -> None:
        self.store, self.changed = store, changed

    @property
    def logger(self) -> logging.Logger:
        return log

    async def async_save(self, installation: Installation) -> None:
        await asyncio.to_thread(self.store.save, installation)
        self.changed(installation.team_id)

    async def async_save_bot(self, bot: Bot) -> None:
        await asyncio.to_thread(self.store.save_bot, bot)
        self.changed(bot.team_id)

    async def async_find_bot(self, **which: Any) -> Bot | None:
        return await asyncio.to_thread(lambda: self.store.find_bot(**which))

    async def async_find_installation(self, **which: Any) -> Installation | None:
        return await asyncio.to_thread(lambda: self.store.find_installation(**which))

    async def async_delete_bot(self, **which: Any) -> None:
        await asyncio.to_thread(lambda: self.store.delete_bot(**which))
        self.changed(team_of(which))

    async def async_delete_installation(self, **which: Any) -> None:
        await asyncio.to_thread(lambda: self.store.delete_installation(**which))
        self.changed(team_of(which))


def team_of(which: Mapping[str, Any]) -> str | None:
    """The workspace a call of the store is about."""
    team: str | None = which.get("team_id")
    return team


class AsyncStates(AsyncOAuthStateStore):
    """The states for Bolt: the database is asked in a thread."""

    def __init__(self, store: States) -> None:
        self.store = store

    @property
    def logger(self) -> logging.Logger:
        return log

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        return await asyncio.to_thread(self.store.issue)

    async def async_consume(self, state: str) -> bool:
        return await asyncio.to_thread(self.store.consume, state)
