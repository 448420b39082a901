"""Workers say that they live, and sessions know how often they failed in a row.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
kind = "expand"

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def text(name: str) -> "sa.Column[str]":
    return sa.Column(name, TEXT, nullable=False, server_default="")


def number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def moment(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def wish(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("worker_id", TEXT, primary_key=True),
        text("display_name"),
        text("version"),
        moment("start_time"),
        number("capacity"),
        text("metrics_address"),
        number("session_count"),
        wish("is_draining"),
        wish("drain_wanted"),
        moment("heartbeat_time"),
        moment("alive_until"),
    )
    op.add_column("sessions", number("fault_count"))
    op.add_column("sessions", sa.Column("suspend_time", sa.BigInteger))
    op.add_column("sessions", sa.Column("rest_until_time", sa.BigInteger))


def downgrade() -> None:
    recreate = "always" if op.get_context().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("sessions", recreate=recreate) as sessions:  # type: ignore[arg-type]
        sessions.drop_column("rest_until_time")
        sessions.drop_column("suspend_time")
        sessions.drop_column("fault_count")
    op.drop_table("workers")
