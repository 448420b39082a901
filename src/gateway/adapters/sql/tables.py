"""The tables. Moments are microseconds since 1970, enums are the contract's numbers, content is the contract's bytes,
and the empty string stands for what is not set, as in the contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    false,
    func,
    literal_column,
    select,
)

from gateway.domain.messages import UNSENT

metadata: Final = MetaData()

_COUNTED: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only a column of exactly this type by itself."""


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False, server_default="")


def _number(name: str, default: str = "0") -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=default)


def _moment(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _moment_if_any(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


def _bytes_if_any(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=True)


def _tenant() -> Column[str]:
    return Column("tenant_id", String, nullable=False)


def is_set(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Not empty. Written out, not bound: a partial index serves only queries that repeat its words."""
    return column != literal_column("''", String)


def is_unsent(state: ColumnElement[int]) -> ColumnElement[bool]:
    """A state of the outbox; written out, as above."""
    return one_of(state, UNSENT)


def one_of(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """One of some numbers that are known before; written out, as above."""
    return column.in_([literal_column(str(number), BigInteger) for number in sorted(numbers)])


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """One of a list of values, bound as one parameter of JSON: so the statement is the same for every list."""
    return column.in_(select(func.json_each(bindparam(parameter)).table_valued("value").c.value))


def listed(values: Iterable[str | int]) -> str:
    """A list as `among` takes it."""
    return orjson.dumps(list(values)).decode()


sessions: Final = Table(
    "sessions",
    metadata,
    Column("uid", String, primary_key=True),
    _tenant(),
    Column("session_id", String, nullable=False),
    Column("provider", String, nullable=False),
    _moment("create_time"),
    _moment("update_time"),
    _moment("since_time"),
    _text("etag"),
    _text("display_name"),
    Column("metadata", String, nullable=False, server_default="{}"),
    _text("expected_phone_number"),
    _number("desired_state"),
    _number("restarts"),
    Column("logout_wanted", Boolean, nullable=False, server_default=false()),
    _number("state"),
    _bytes_if_any("failure"),
    _moment_if_any("next_attempt_time"),
    _moment_if_any("banned_until_time"),
    _text("device_jid"),
    _text("device_lid"),
    _text("device_phone_number"),
    _text("account_id"),
    _number("revision", "1"),
    _moment_if_any("deleted_time"),
    _number("next_sequence", "1"),
)
Index(
    "sessions_live",
    sessions.c.tenant_id,
    sessions.c.session_id,
    unique=True,
    sqlite_where=sessions.c.deleted_time.is_(None),
    postgresql_where=sessions.c.deleted_time.is_(None),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("session_uid", String, primary_key=True),
    _tenant(),
    _text("owner_id"),
    _number("fence"),
    _moment("expire_time"),
    Index("leases_of_owner", "owner_id"),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("ordinal", _COUNTED, primary_key=True, autoincrement=True),
    _tenant(),
    Column("message_id", String, nullable=False, unique=True),
    Column("session_id", String, nullable=False),
    Column("session_uid", String, nullable=False),
    Column("chat_id", String, nullable=False),
    Column("sender_id", String, nullable=False),
    _number("direction"),
    _number("origin"),
    _number("state"),
    Column("content", LargeBinary, nullable=False),
    _moment("create_time"),
    _text("provider_message_id"),
    _text("edit"),
    _moment_if_any("due_time"),
    _moment_if_any("give_up_time"),
    _moment_if_any("next_attempt_time"),
    _moment_if_any("send_time"),
    _bytes_if_any("failure"),
    _number("hold_kind"),
    _moment_if_any("hold_until_time"),
    _number("reach_furthest"),
    _number("recipient_count"),
    _number("delivered_count"),
    _number("read_count"),
    _number("played_count"),
    _number("revision", "1"),
    Column("metadata", String, nullable=False, server_default="{}"),
    _text("request_id"),
    _text("correlation_id"),
    _number("attempt_count"),
    _number("refusal_count"),
    _number("repeat_count"),
    _text("retry_of_message_id"),
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
    Column("ordinal", _COUNTED, primary_key=True, autoincrement=True),
    _tenant(),
    Column("message_id", String, nullable=False),
    Column("participant_id", String, nullable=False),
    _moment_if_any("deliver_time"),
    _moment_if_any("read_time"),
    _moment_if_any("play_time"),
    UniqueConstraint("message_id", "participant_id", name="receipts_person"),
    Index("receipts_by_message", "message_id", "ordinal"),
    Index("receipts_by_participant", "tenant_id", "participant_id"),
    sqlite_autoincrement=True,
)

identities: Final = Table(
    "identities",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("identity_id", String, primary_key=True),
    _number("kind"),
    _moment("create_time"),
    _text("lid"),
    _text("phone_number"),
    _text("username"),
    _text("business_user_id"),
    _text("display_name"),
    Column("alias_ids", String, nullable=False, server_default="[]"),
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
    Column("tenant_id", String, primary_key=True),
    Column("alias_id", String, primary_key=True),
    Column("identity_id", String, nullable=False),
)

events: Final = Table(
    "events",
    metadata,
    Column("position", _COUNTED, primary_key=True, autoincrement=True),
    _tenant(),
    Column("event_id", String, nullable=False),
    _text("session_id"),
    _text("session_uid"),
    _number("sequence"),
    Column("kind", String, nullable=False),
    _text("chat_id"),
    _moment("record_time"),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("tenant_id", "session_uid", "sequence", name="events_sequence"),
    Index("events_by_tenant", "tenant_id", "position"),
    Index("events_by_time", "tenant_id", "record_time", "position"),
    sqlite_autoincrement=True,
)

tenant_sequences: Final = Table(
    "tenant_sequences",
    metadata,
    Column("tenant_id", String, primary_key=True),
    _number("next_sequence", "1"),
)

request_ids: Final = Table(
    "request_ids",
    metadata,
    Column("tenant_id", String, primary_key=True),
    Column("rpc", String, primary_key=True),
    Column("session_id", String, primary_key=True),
    Column("request_id", String, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    _text("resource_id"),
    _moment("create_time"),
    Column("answer", LargeBinary, nullable=False),
    Index("request_ids_by_age", "create_time"),
)

installation: Final = Table(
    "installation",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    _moment("create_time"),
)
"""One row, of no tenant: the name of the log, and the secret that signs its cursors."""
