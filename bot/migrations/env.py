"""Runs the migrations on the connection that bot.db.upgrade hands over."""

from alembic import context

from bot.channels.slack.installations import metadata as slack
from handoff.models import Base as Record
from kb_index.models import Base as Knowledge

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=[Record.metadata, Knowledge.metadata, slack],
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
