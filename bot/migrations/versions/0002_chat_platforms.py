"""What chat platforms need: profiles, files that are fetched later, a pace for each channel."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "channel"),
    )
    with op.batch_alter_table("person") as person:
        person.add_column(sa.Column("image", sa.String(length=500), nullable=True))
        person.add_column(sa.Column("profile_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("place", sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("attachment") as attachment:
        attachment.add_column(sa.Column("source", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attachment") as attachment:
        attachment.drop_column("source")
    op.drop_column("place", "lost_at")
    with op.batch_alter_table("person") as person:
        person.drop_column("profile_at")
        person.drop_column("image")
    op.drop_table("pace")
