"""The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
kind = "expand"

COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
UNSENT = sa.text("state IN (2, 3, 4)")


def text(name: str) -> "sa.Column[str]":
    return sa.Column(name, TEXT, nullable=False, server_default="")


def needed(name: str) -> "sa.Column[str]":
    return sa.Column(name, TEXT, nullable=False)


def number(name: str, default: str = "0") -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def moment(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def binary(name: str, *, nullable: bool = False) -> "sa.Column[bytes]":
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def partial(name: str, table: str, columns: list[str], where: "sa.TextClause", *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    create_sessions()
    create_messages()
    create_identities()
    create_log()


def create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("uid", TEXT, primary_key=True),
        needed("tenant_id"),
        needed("session_id"),
        needed("provider"),
        moment("create_time"),
        moment("update_time"),
        moment("since_time"),
        text("etag"),
        text("display_name"),
        sa.Column("metadata", TEXT, nullable=False, server_default="{}"),
        text("expected_phone_number"),
        number("desired_state"),
        number("restarts"),
        sa.Column("logout_wanted", sa.Boolean, nullable=False, server_default=sa.false()),
        number("state"),
        binary("failure", nullable=True),
        moment("next_attempt_time", nullable=True),
        moment("banned_until_time", nullable=True),
        text("device_jid"),
        text("device_lid"),
        text("device_phone_number"),
        text("account_id"),
        number("revision", "1"),
        moment("deleted_time", nullable=True),
        number("next_sequence", "1"),
    )
    partial("sessions_live", "sessions", ["tenant_id", "session_id"], sa.text("deleted_time IS NULL"), unique=True)
    op.create_table(
        "leases",
        sa.Column("session_uid", TEXT, primary_key=True),
        needed("tenant_id"),
        text("owner_id"),
        number("fence"),
        moment("expire_time"),
    )
    op.create_index("leases_of_owner", "leases", ["owner_id"])


def create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("ordinal", COUNTED, primary_key=True, autoincrement=True),
        needed("tenant_id"),
        sa.Column("message_id", TEXT, nullable=False, unique=True),
        needed("session_id"),
        needed("session_uid"),
        needed("chat_id"),
        needed("sender_id"),
        number("direction"),
        number("origin"),
        number("state"),
        binary("content"),
        moment("create_time"),
        text("provider_message_id"),
        text("edit"),
        moment("due_time", nullable=True),
        moment("give_up_time", nullable=True),
        moment("next_attempt_time", nullable=True),
        moment("send_time", nullable=True),
        binary("failure", nullable=True),
        number("hold_kind"),
        moment("hold_until_time", nullable=True),
        number("reach_furthest"),
        number("recipient_count"),
        number("delivered_count"),
        number("read_count"),
        number("played_count"),
        number("revision", "1"),
        sa.Column("metadata", TEXT, nullable=False, server_default="{}"),
        text("request_id"),
        text("correlation_id"),
        number("attempt_count"),
        number("refusal_count"),
        number("repeat_count"),
        text("retry_of_message_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_by_tenant", "messages", ["tenant_id", "ordinal"])
    op.create_index("messages_by_session", "messages", ["tenant_id", "session_id", "ordinal"])
    op.create_index("messages_by_chat", "messages", ["tenant_id", "chat_id", "ordinal"])
    op.create_index("messages_by_sender", "messages", ["tenant_id", "sender_id"])
    natural = ["session_uid", "provider_message_id", "chat_id", "sender_id", "edit"]
    partial("messages_natural", "messages", natural, sa.text("provider_message_id != ''"), unique=True)
    partial("messages_outbox", "messages", ["session_uid", "chat_id", "due_time", "ordinal"], UNSENT)
    partial("messages_give_up", "messages", ["give_up_time"], UNSENT)
    op.create_table(
        "receipts",
        sa.Column("ordinal", COUNTED, primary_key=True, autoincrement=True),
        needed("tenant_id"),
        needed("message_id"),
        needed("participant_id"),
        moment("deliver_time", nullable=True),
        moment("read_time", nullable=True),
        moment("play_time", nullable=True),
        sa.UniqueConstraint("message_id", "participant_id", name="receipts_person"),
        sqlite_autoincrement=True,
    )
    op.create_index("receipts_by_message", "receipts", ["message_id", "ordinal"])
    op.create_index("receipts_by_participant", "receipts", ["tenant_id", "participant_id"])


def create_identities() -> None:
    op.create_table(
        "identities",
        sa.Column("tenant_id", TEXT, primary_key=True),
        sa.Column("identity_id", TEXT, primary_key=True),
        number("kind"),
        moment("create_time"),
        text("lid"),
        text("phone_number"),
        text("username"),
        text("business_user_id"),
        text("display_name"),
        sa.Column("alias_ids", TEXT, nullable=False, server_default="[]"),
    )
    for name, unique in (("lid", True), ("phone_number", True), ("username", False), ("business_user_id", False)):
        partial(f"identities_{name}", "identities", ["tenant_id", name], sa.text(f"{name} != ''"), unique=unique)
    op.create_table(
        "identity_aliases",
        sa.Column("tenant_id", TEXT, primary_key=True),
        sa.Column("alias_id", TEXT, primary_key=True),
        needed("identity_id"),
    )


def create_log() -> None:
    op.create_table(
        "events",
        sa.Column("position", COUNTED, primary_key=True, autoincrement=True),
        needed("tenant_id"),
        needed("event_id"),
        text("session_id"),
        text("session_uid"),
        number("sequence"),
        needed("kind"),
        text("chat_id"),
        moment("record_time"),
        binary("body"),
        sa.UniqueConstraint("tenant_id", "session_uid", "sequence", name="events_sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_tenant", "events", ["tenant_id", "position"])
    op.create_index("events_by_time", "events", ["tenant_id", "record_time", "position"])
    op.create_table(
        "tenant_sequences",
        sa.Column("tenant_id", TEXT, primary_key=True),
        number("next_sequence", "1"),
    )
    op.create_table(
        "request_ids",
        sa.Column("tenant_id", TEXT, primary_key=True),
        sa.Column("rpc", TEXT, primary_key=True),
        sa.Column("session_id", TEXT, primary_key=True),
        sa.Column("request_id", TEXT, primary_key=True),
        binary("fingerprint"),
        text("resource_id"),
        moment("create_time"),
        binary("answer"),
    )
    op.create_index("request_ids_by_age", "request_ids", ["create_time"])
    op.create_table(
        "installation",
        sa.Column("log_id", TEXT, primary_key=True),
        binary("secret"),
        moment("create_time"),
    )


def downgrade() -> None:
    for table in (
        "installation",
        "request_ids",
        "tenant_sequences",
        "events",
        "identity_aliases",
        "identities",
        "receipts",
        "messages",
        "leases",
        "sessions",
    ):
        op.drop_table(table)
