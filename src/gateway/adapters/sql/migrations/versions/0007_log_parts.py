"""The log in parts, on PostgreSQL: the first one holds what there is, and all to come until it is closed.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
kind = "expand"
unnoticed = (
    "`events` has the same rows, columns and positions before and after, and changes hands in one transaction. No row"
    " is read: that no position is NULL is known. Sequences are unique by how they are counted; nobody asks the index."
)

INDEXES = {"by_tenant": "(tenant_id, position)", "by_time": "(tenant_id, record_time, position)"}


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE events RENAME TO events_first")
    for name in ("pkey", "sequence", *INDEXES):
        op.execute(f"ALTER INDEX events_{name} RENAME TO events_first_{name}")
    op.execute("CREATE TABLE events (LIKE events_first INCLUDING DEFAULTS) PARTITION BY RANGE (position)")
    complete("events")
    op.execute("ALTER TABLE events ATTACH PARTITION events_first FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")


def downgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("CREATE TABLE events_whole (LIKE events INCLUDING DEFAULTS)")
    op.execute("INSERT INTO events_whole SELECT * FROM events")
    op.execute("ALTER SEQUENCE events_position_seq OWNED BY NONE")
    op.execute("DROP TABLE events")
    op.execute("ALTER TABLE events_whole RENAME TO events")
    complete("events")
    op.execute("ALTER TABLE events ADD CONSTRAINT events_sequence UNIQUE (tenant_id, session_uid, sequence)")


def complete(table: str) -> None:
    """Give a table what it has beside columns."""
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (position)")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {table}_{name} ON {table} {columns}")
    op.execute(f"ALTER SEQUENCE events_position_seq OWNED BY {table}.position")
