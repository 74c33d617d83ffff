"""The migrations make exactly the tables that the models describe."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.channels.slack.installations import metadata as slack
from bot.db import Sessions
from handoff.models import Base as Record
from kb_index.models import Base as Knowledge


def test_migrations_and_models_agree(sessions: Sessions) -> None:
    with sessions.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = [Record.metadata, Knowledge.metadata, slack]
        assert compare_metadata(context, metadata) == []  # type: ignore[arg-type]
