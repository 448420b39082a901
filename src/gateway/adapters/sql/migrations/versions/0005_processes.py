"""The database knows which versions run on it, and which ones get along with it.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
kind = "expand"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("process_id", TEXT, primary_key=True),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("schema", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("alive_until", sa.BigInteger, nullable=False),
    )
    op.create_table("schema_floor", sa.Column("oldest", TEXT, primary_key=True))


def downgrade() -> None:
    op.drop_table("schema_floor")
    op.drop_table("processes")
