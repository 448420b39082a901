"""Processes ask each other over the database where there is no Redis, or while it is away.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
kind = "expand"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ASKED = sa.text("stage = 0")


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, server_default="")


def upgrade() -> None:
    op.create_table(
        "question_servers",
        sa.Column("name", TEXT, primary_key=True),
        text("process_id"),
        sa.Column("seen_time", sa.BigInteger, nullable=False),
    )
    op.create_index("question_servers_of_process", "question_servers", ["process_id"])
    op.create_table(
        "questions",
        sa.Column("question_id", TEXT, primary_key=True),
        text("name"),
        text("process_id"),
        sa.Column("stage", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("end_time", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_index("questions_by_age", "questions", ["end_time"])
    op.create_index("questions_asked", "questions", ["process_id"], sqlite_where=ASKED, postgresql_where=ASKED)


def downgrade() -> None:
    op.drop_table("questions")
    op.drop_table("question_servers")
