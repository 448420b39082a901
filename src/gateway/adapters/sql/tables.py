"""The tables. Moments are microseconds since 1970, enums are the contract's numbers, content is the contract's bytes,
and the empty string stands for what is not set, as in the contract.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, LargeBinary, MetaData, Table, UniqueConstraint, false

from gateway.adapters.sql.columns import (
    COUNTED,
    TEXT,
    bytes_if_any,
    is_set,
    is_unsent,
    moment,
    moment_if_any,
    number,
    tenant,
    text,
)

metadata: Final = MetaData()

sessions: Final = Table(
    "sessions",
    metadata,
    Column("uid", TEXT, primary_key=True),
    tenant(),
    Column("session_id", TEXT, nullable=False),
    Column("provider", TEXT, nullable=False),
    moment("create_time"),
    moment("update_time"),
    moment("since_time"),
    text("etag"),
    text("display_name"),
    Column("metadata", TEXT, nullable=False, server_default="{}"),
    text("expected_phone_number"),
    number("desired_state"),
    number("restarts"),
    Column("logout_wanted", Boolean, nullable=False, server_default=false()),
    number("state"),
    bytes_if_any("failure"),
    moment_if_any("next_attempt_time"),
    text("device_jid"),
    text("device_lid"),
    text("device_phone_number"),
    text("account_id"),
    number("revision", "1"),
    moment_if_any("deleted_time"),
    number("next_sequence", "1"),
    number("on_ambiguous", "1"),
    Column("restrictions", TEXT, nullable=False, server_default="[]"),
    moment_if_any("restrictions_end_time"),
    number("fault_count"),
    moment_if_any("suspend_time"),
    moment_if_any("rest_until_time"),
)
Index(
    "sessions_live",
    sessions.c.tenant_id,
    sessions.c.session_id,
    unique=True,
    sqlite_where=sessions.c.deleted_time.is_(None),
    postgresql_where=sessions.c.deleted_time.is_(None),
)
_restricted: Final = sessions.c.restrictions_end_time.is_not(None)
Index(
    "sessions_restricted",
    sessions.c.restrictions_end_time,
    sqlite_where=_restricted,
    postgresql_where=_restricted,
)

leases: Final = Table(
    "leases",
    metadata,
    Column("session_uid", TEXT, primary_key=True),
    tenant(),
    text("owner_id"),
    number("fence"),
    moment("expire_time"),
    Index("leases_of_owner", "owner_id"),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("ordinal", COUNTED, primary_key=True, autoincrement=True),
    tenant(),
    Column("message_id", TEXT, nullable=False, unique=True),
    Column("session_id", TEXT, nullable=False),
    Column("session_uid", TEXT, nullable=False),
    Column("chat_id", TEXT, nullable=False),
    Column("sender_id", TEXT, nullable=False),
    number("direction"),
    number("origin"),
    number("state"),
    Column("content", LargeBinary, nullable=False),
    moment("create_time"),
    text("provider_message_id"),
    text("edit"),
    moment_if_any("due_time"),
    moment_if_any("give_up_time"),
    moment_if_any("next_attempt_time"),
    moment_if_any("send_time"),
    bytes_if_any("failure"),
    number("hold_kind"),
    moment_if_any("hold_until_time"),
    number("reach_furthest"),
    number("recipient_count"),
    number("delivered_count"),
    number("read_count"),
    number("played_count"),
    number("revision", "1"),
    Column("metadata", TEXT, nullable=False, server_default="{}"),
    text("request_id"),
    text("correlation_id"),
    number("attempt_count"),
    number("refusal_count"),
    number("repeat_count"),
    text("retry_of_message_id"),
    Index("messages_by_tenant", "tenant_id", "ordinal"),
    Index("messages_by_session", "tenant_id", "session_id", "ordinal"),
    Index("messages_by_chat", "tenant_id", "chat_id", "ordinal"),
    Index("messages_by_sender", "tenant_id", "sender_id"),
    sqlite_autoincrement=True,
)
_named: Final = is_set(messages.c.provider_message_id)
_waiting: Final = is_unsent(messages.c.state)
Index(
    "messages_natural",
    messages.c.session_uid,
    messages.c.provider_message_id,
    messages.c.chat_id,
    messages.c.sender_id,
    messages.c.edit,
    unique=True,
    sqlite_where=_named,
    postgresql_where=_named,
)
Index(
    "messages_outbox",
    messages.c.session_uid,
    messages.c.chat_id,
    messages.c.due_time,
    messages.c.ordinal,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("messages_give_up", messages.c.give_up_time, sqlite_where=_waiting, postgresql_where=_waiting)

receipts: Final = Table(
    "receipts",
    metadata,
    Column("ordinal", COUNTED, primary_key=True, autoincrement=True),
    tenant(),
    Column("message_id", TEXT, nullable=False),
    Column("participant_id", TEXT, nullable=False),
    moment_if_any("deliver_time"),
    moment_if_any("read_time"),
    moment_if_any("play_time"),
    UniqueConstraint("message_id", "participant_id", name="receipts_person"),
    Index("receipts_by_message", "message_id", "ordinal"),
    Index("receipts_by_participant", "tenant_id", "participant_id"),
    sqlite_autoincrement=True,
)

identities: Final = Table(
    "identities",
    metadata,
    Column("tenant_id", TEXT, primary_key=True),
    Column("identity_id", TEXT, primary_key=True),
    number("kind"),
    moment("create_time"),
    text("lid"),
    text("phone_number"),
    text("username"),
    text("business_user_id"),
    text("display_name"),
    Column("alias_ids", TEXT, nullable=False, server_default="[]"),
)
for _column, _unique in (("lid", True), ("phone_number", True), ("username", False), ("business_user_id", False)):
    Index(
        f"identities_{_column}",
        identities.c.tenant_id,
        identities.c[_column],
        unique=_unique,
        sqlite_where=is_set(identities.c[_column]),
        postgresql_where=is_set(identities.c[_column]),
    )

identity_aliases: Final = Table(
    "identity_aliases",
    metadata,
    Column("tenant_id", TEXT, primary_key=True),
    Column("alias_id", TEXT, primary_key=True),
    Column("identity_id", TEXT, nullable=False),
)

events: Final = Table(
    "events",
    metadata,
    Column("position", COUNTED, primary_key=True, autoincrement=True),
    tenant(),
    Column("event_id", TEXT, nullable=False),
    text("session_id"),
    text("session_uid"),
    number("sequence"),
    Column("kind", TEXT, nullable=False),
    text("chat_id"),
    moment("record_time"),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("tenant_id", "session_uid", "sequence", name="events_sequence"),
    Index("events_by_tenant", "tenant_id", "position"),
    Index("events_by_time", "tenant_id", "record_time", "position"),
    sqlite_autoincrement=True,
)

log_starts: Final = Table(
    "log_starts",
    metadata,
    Column("tenant_id", TEXT, primary_key=True),
    number("position"),
)
"""Where a log begins of which something was removed: events up to this position are not there any more."""

tenant_sequences: Final = Table(
    "tenant_sequences",
    metadata,
    Column("tenant_id", TEXT, primary_key=True),
    number("next_sequence", "1"),
)

request_ids: Final = Table(
    "request_ids",
    metadata,
    Column("tenant_id", TEXT, primary_key=True),
    Column("rpc", TEXT, primary_key=True),
    Column("session_id", TEXT, primary_key=True),
    Column("request_id", TEXT, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    text("resource_id"),
    moment("create_time"),
    Column("answer", LargeBinary, nullable=False),
    Index("request_ids_by_age", "create_time"),
)

installation: Final = Table(
    "installation",
    metadata,
    Column("log_id", TEXT, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    moment("create_time"),
)
"""One row, of no tenant: the name of the log, and the secret that signs its cursors."""
