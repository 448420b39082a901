"""How SQLite is spoken to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import (
    BindParameter,
    Dialect,
    Executable,
    ScalarSelect,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import aiosqlite

from gateway.adapters.sql.driver import Prepared, Step
from gateway.adapters.sql.idioms import Bulk
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.statements import MARK, prepare, written
from gateway.adapters.sql.tables import events, sessions, tenant_sequences

_TOLD: Final = ("tenant_id", "event_id", "session_id", "session_uid", "kind", "chat_id", "record_time", "body")


def _count(table: Table, key: str) -> Executable:
    """Move all counters that some events need, in one statement."""
    counts = func.json_each(bindparam("counts")).table_valued("key", "value")
    counted = table.c.next_sequence + counts.c.value
    return update(table).values(next_sequence=counted).where(table.c[key] == counts.c.key)


def _number(table: Table, key: str) -> ScalarSelect[int]:
    number = select(table.c.next_sequence - bindparam("from_end")).where(table.c[key] == bindparam("counted_by"))
    return number.scalar_subquery()


def _write() -> Executable:
    """Write an event with the number that its counter gave it; one without a counter breaks a rule of the schema."""
    told: dict[str, BindParameter[Any]] = {name: bindparam("event_" + name) for name in _TOLD}
    of_tenant = bindparam("event_session_uid") == literal_column("''")
    number = case((of_tenant, _number(tenant_sequences, "tenant_id")), else_=_number(sessions, "uid"))
    return insert(events).inline().values(sequence=number, **told)


_COUNT_OF_SESSION: Final = _count(sessions, "uid")
_COUNT_OF_TENANT: Final = _count(tenant_sequences, "tenant_id")
_WRITE: Final = _write()
_BEGIN_TENANT: Final = (
    insert(tenant_sequences)
    .inline()
    .from_select(
        ["tenant_id"],
        select(bindparam("new_tenant", type_=tenant_sequences.c.tenant_id.type)).where(
            ~exists().where(tenant_sequences.c.tenant_id == bindparam("counted_by"))
        ),
    )
)


class SqliteIdiom:
    """See `gateway.adapters.sql.idioms.Idiom`."""

    begin_writing = Step("BEGIN IMMEDIATE", mute=True)
    """Takes the write lock at once: what is read in the transaction stays true until its end."""
    begin_briefly = begin_writing
    begin_reading = Step("BEGIN", mute=True)
    """One snapshot for all that is read in the transaction."""
    alone: Sequence[Step] = ()

    def __init__(self) -> None:
        self.dialect: Dialect = aiosqlite.dialect()
        self._log: dict[Executable, Prepared] = {
            statement: prepare(self.dialect, statement)
            for statement in (_COUNT_OF_SESSION, _BEGIN_TENANT, _COUNT_OF_TENANT, _WRITE)
        }

    def bulk(self, table: Table, key: Sequence[str], fixed: Sequence[str] = ()) -> Bulk:
        values: dict[str, BindParameter[Any]] = {name: bindparam(MARK + name) for name in written(table)}
        found = [table.c[name] == bindparam(MARK + name) for name in key]
        changes = {name: value for name, value in values.items() if name not in key and name not in fixed}
        return Bulk(
            insert=prepare(self.dialect, insert(table).inline().values(values)),
            update=prepare(self.dialect, update(table).values(changes).where(*found)),
            delete=prepare(self.dialect, delete(table).where(*found)),
        )

    def hold(self, uids: Iterable[str], names: Iterable[tuple[str, str]], *, at_once: bool) -> Sequence[Step]:  # noqa: ARG002
        """None: whoever writes is the only one."""
        return ()

    def log_steps(self, told: list[dict[str, Any]]) -> list[Step]:
        rows = [_numbered(row) for row in told]
        of_sessions = _count_back([row for row in rows if row["event_session_uid"]])
        of_tenants = _count_back([row for row in rows if not row["event_session_uid"]])
        steps = (
            (_COUNT_OF_SESSION, _counts(of_sessions)),
            (_BEGIN_TENANT, [{"counted_by": tenant_id, "new_tenant": tenant_id} for tenant_id in of_tenants]),
            (_COUNT_OF_TENANT, _counts(of_tenants)),
            (_WRITE, rows),
        )
        return [step for statement, some in steps if some for step in self._log[statement].each(some)]


def _counts(counts: Mapping[str, int]) -> list[Row]:
    return [{"counts": orjson.dumps(counts, option=orjson.OPT_SORT_KEYS).decode()}] if counts else []


def _numbered(row: dict[str, Any]) -> dict[str, Any]:
    counted_by = row["session_uid"] or row["tenant_id"]
    return {"counted_by": counted_by, **{"event_" + name: row[name] for name in _TOLD}}


def _count_back(rows: list[dict[str, Any]]) -> Counter[str]:
    """Give each event its distance from its counter's new end; tell how far each counter moves."""
    counts = Counter(row["counted_by"] for row in rows)
    left = counts.copy()
    for row in rows:
        row["from_end"] = left[row["counted_by"]]
        left[row["counted_by"]] -= 1
    return counts
