"""Sessions know what WhatsApp forbids them, and what to do about messages of which nobody knows whether they left.

Revision ID: 0002
Revises: 0001
"""

from contextlib import AbstractContextManager
from typing import Literal

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
kind = "contract"
oldest = "0002"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
RESTRICTED = sa.text("restrictions_end_time IS NOT NULL")


def changing(table: str) -> AbstractContextManager[BatchOperations]:
    """Where a table is changed; SQLite writes it anew, so that it reads as if it had always been so."""
    recreate: Literal["always", "never"] = "always" if op.get_context().dialect.name == "sqlite" else "never"
    return op.batch_alter_table(table, recreate=recreate)


def upgrade() -> None:
    ambiguous = sa.Column("on_ambiguous", sa.BigInteger, nullable=False, server_default="1")
    restrictions = sa.Column("restrictions", TEXT, nullable=False, server_default="[]")
    with changing("sessions") as sessions:
        sessions.add_column(ambiguous)
        sessions.add_column(restrictions)
        sessions.add_column(sa.Column("restrictions_end_time", sa.BigInteger))
        sessions.drop_column("banned_until_time")
    op.create_index(
        "sessions_restricted",
        "sessions",
        ["restrictions_end_time"],
        sqlite_where=RESTRICTED,
        postgresql_where=RESTRICTED,
    )


def downgrade() -> None:
    op.drop_index("sessions_restricted", "sessions")
    with changing("sessions") as sessions:
        sessions.add_column(sa.Column("banned_until_time", sa.BigInteger))
        sessions.drop_column("restrictions_end_time")
        sessions.drop_column("restrictions")
        sessions.drop_column("on_ambiguous")
