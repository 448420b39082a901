# ruff: noqa: S608  # statements are put together from the names of tables and columns
"""How PostgreSQL is spoken to.

Rows are written column by column: one statement takes an array of each, however many rows there are.

The log is written last of all, in one go with the commit: its lock, its rows and COMMIT are one message, so that the
server waits for nobody between them. Who holds the lock is about to have committed: so positions are in the order of
commits, a cursor never passes one that comes later, and a process that hangs has not begun with it, or is done. Whoever
waits for it waits for commits alone, and as long as it takes.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Boolean, Column, Dialect, LargeBinary, String, Table
from sqlalchemy.dialects.postgresql import asyncpg

from gateway.adapters.sql.driver import Step
from gateway.adapters.sql.idioms import Bulk
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.statements import written

_TYPES: Final[Mapping[type, str]] = {String: "text", BigInteger: "bigint", LargeBinary: "bytea", Boolean: "boolean"}
_ALONE: Final = 7242602
_LOG: Final = 7242603
"""Names of locks; those of migrations stand beside them in `gateway.adapters.sql.migrating`."""

_HOLD: Final = """
    SELECT set_config('wagate.held', coalesce(string_agg(uid, ','), ''), true) FROM (
      SELECT uid FROM sessions WHERE uid = ANY (ARRAY(SELECT json_array_elements_text($1::json)))
        OR deleted_time IS NULL AND tenant_id = ANY (ARRAY(SELECT json_array_elements_text($2::json)))
          AND session_id = ANY (ARRAY(SELECT json_array_elements_text($3::json)))
      ORDER BY uid FOR NO KEY UPDATE
    ) AS held
"""
"""Leaves the uids of what is held in a setting that ends with the transaction."""
_HOLD_AT_ONCE: Final = _HOLD.replace("FOR NO KEY UPDATE", "FOR NO KEY UPDATE NOWAIT")
_PATIENTLY: Final = Step("SET LOCAL lock_timeout = 0", mute=True)
_LOCK_LOG: Final = Step(f"SELECT pg_advisory_xact_lock({_LOG})", mute=True)
_COUNT_OF_SESSIONS: Final = """
    UPDATE sessions SET next_sequence = next_sequence + counts.value::bigint
    FROM json_each_text($1::json) AS counts WHERE uid = counts.key
"""
_COUNT_OF_TENANTS: Final = """
    INSERT INTO tenant_sequences AS counter (tenant_id, next_sequence)
    SELECT key, value::bigint + 1 FROM json_each_text($1::json)
    ON CONFLICT (tenant_id) DO UPDATE SET next_sequence = counter.next_sequence + excluded.next_sequence - 1
"""
_PLACE: Final = "SELECT setval('events_position_seq', greatest(nextval('events_position_seq'), $1::bigint), false)"
"""The next position: never before the moment of an event that gets one from here on."""
_WRITE: Final = """
    INSERT INTO events (tenant_id, event_id, session_id, session_uid, kind, chat_id, record_time, body, sequence)
    SELECT told.tenant_id, event_id, told.session_id, session_uid, kind, chat_id, record_time, decode(body, 'base64'),
      coalesce(sessions.next_sequence, tenants.next_sequence) - from_end
    FROM json_to_recordset($1::json) AS told (
      place int, tenant_id text, event_id text, session_id text, session_uid text, kind text, chat_id text,
      record_time bigint, body text, from_end bigint
    )
    LEFT JOIN sessions ON sessions.uid = session_uid
    LEFT JOIN tenant_sequences AS tenants ON session_uid = '' AND tenants.tenant_id = told.tenant_id
    ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class OfRows:
    """A statement that takes rows of some columns, among them such of bytes."""

    sql: str
    columns: Sequence[str]
    bytes: Sequence[str]

    def each(self, rows: Sequence[Row]) -> Iterator[Step]:
        """See `gateway.adapters.sql.idioms.ForEach`."""
        told = [{name: row[name] for name in self.columns} for row in rows]
        for name in self.bytes:
            for row in told:
                if row[name] is not None:
                    row[name] = base64.b64encode(row[name]).decode()
        yield _with(self.sql, told)


class PostgresIdiom:
    """See `gateway.adapters.sql.idioms.Idiom`."""

    begin_writing = Step("BEGIN ISOLATION LEVEL READ COMMITTED", mute=True)
    """What is read under a lock is what was committed last; see `gateway.adapters.sql.guard`."""
    begin_briefly = Step(f"{begin_writing.sql}; SET LOCAL lock_timeout = '20ms'", mute=True)
    begin_reading = Step("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", mute=True)
    """One snapshot for all that is read in the transaction."""
    alone: Sequence[Step] = (Step(f"SELECT pg_advisory_xact_lock({_ALONE})", mute=True),)

    def __init__(self) -> None:
        self.dialect: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]

    def bulk(self, table: Table, key: Sequence[str], fixed: Sequence[str] = ()) -> Bulk:
        names = [str(name) for name in written(table)]
        given, keys = _given(table, names), _given(table, key)
        found = " AND ".join(f"{table.name}.{name} = given.{name}" for name in key)
        changed = [name for name in names if name not in key and name not in fixed]
        changes = ", ".join(f"{name} = {_value(table.c[name])}" for name in changed)
        values = ", ".join(_value(table.c[name]) for name in names)
        some = [name for name in names if isinstance(table.c[name].type, LargeBinary)]
        return Bulk(
            insert=OfRows(f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {values} FROM {given}", names, some),
            update=OfRows(f"UPDATE {table.name} SET {changes} FROM {given} WHERE {found}", names, some),
            delete=OfRows(f"DELETE FROM {table.name} USING {keys} WHERE {found}", key, []),
        )

    def hold(self, uids: Iterable[str], names: Iterable[tuple[str, str]], *, at_once: bool) -> Sequence[Step]:
        tenants, session_ids = {tenant_id for tenant_id, _ in names}, {session_id for _, session_id in names}
        return [_with(_HOLD_AT_ONCE if at_once else _HOLD, [*uids], [*tenants], [*session_ids])]

    def log_steps(self, told: list[dict[str, Any]]) -> list[Step]:
        sessions = Counter(row["session_uid"] for row in told if row["session_uid"])
        tenants = Counter(row["tenant_id"] for row in told if not row["session_uid"])
        steps = [_with(_COUNT_OF_SESSIONS, sessions)] if sessions else []
        steps += [_PATIENTLY, _LOCK_LOG, _with(_PLACE, max(row["record_time"] for row in told))]
        if tenants:
            steps.append(_with(_COUNT_OF_TENANTS, tenants))
        return [*steps, _with(_WRITE, _numbered(told, sessions, tenants))]


def _numbered(told: list[dict[str, Any]], sessions: Counter[str], tenants: Counter[str]) -> list[dict[str, Any]]:
    """The events with their place in the group, and how far each is from its counter's new end."""
    left_of_sessions, left_of_tenants = sessions.copy(), tenants.copy()
    rows: list[dict[str, Any]] = []
    for place, row in enumerate(told):
        left, counter = (
            (left_of_sessions, row["session_uid"]) if row["session_uid"] else (left_of_tenants, row["tenant_id"])
        )
        body = base64.b64encode(row["body"]).decode()
        rows.append({**row, "body": body, "place": place, "from_end": left[counter]})
        left[counter] -= 1
    return rows


def _with(sql: str, *values: object) -> Step:
    """A mute step whose parameters are JSON."""
    return Step(sql, tuple(orjson.dumps(value).decode() for value in values), mute=True)


def _given(table: Table, names: Sequence[str]) -> str:
    """Rows as JSON, with bytes as text."""
    columns = ", ".join(f"{name} {_type_of(table.c[name])}" for name in names)
    return f"json_to_recordset($1::json) AS given ({columns.replace(' bytea', ' text')})"


def _value(column: Column[Any]) -> str:
    is_bytes = isinstance(column.type, LargeBinary)
    return f"decode(given.{column.name}, 'base64')" if is_bytes else f"given.{column.name}"


def _type_of(column: Column[Any]) -> str:
    return next(name for kind, name in _TYPES.items() if isinstance(column.type, kind))
