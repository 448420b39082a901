"""The journal: events that units told, until they are numbered and written.

The row of an event's session counts it, or else that of its tenant. The numbers are taken just before the events are
written, in the order of uids: so writers in several processes meet at these rows one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Executable,
    ScalarSelect,
    Table,
    bindparam,
    case,
    exists,
    insert,
    literal_column,
    select,
    update,
)

from gateway.adapters.sql.columns import numbered, pairs
from gateway.adapters.sql.driver import Step
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.tables import events, sessions, tenant_sequences

_TOLD: Final = ("tenant_id", "event_id", "session_id", "session_uid", "kind", "chat_id", "record_time", "body")


def _count(table: Table, key: str) -> Executable:
    """Move all counters that some events need, in one statement."""
    counts = numbered("counts")
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


class Journal:
    """The events of the finished units, and those of the unit under way."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self.own: list[dict[str, Any]] = []
        """Those of the unit under way."""
        self.grew = False
        """Whether events were handed out to be written."""

    @property
    def is_waiting(self) -> bool:
        """Whether finished units told events that are not written yet."""
        return bool(self._kept)

    def tell(self, row: dict[str, Any]) -> None:
        """Want an event told."""
        self.own.append(row)

    def keep(self) -> None:
        self._kept += self.own
        self.own = []

    def forget(self) -> None:
        self.own = []

    def drain(self, statements: Statements) -> list[Step]:
        """Hand out the steps that number and write the events of the finished units."""
        rows, self._kept = self._kept, []
        if not rows:
            return []
        self.grew = True
        told = [_numbered(row) for row in rows]
        of_sessions = _count_back([row for row in told if row["event_session_uid"]])
        of_tenants = _count_back([row for row in told if not row["event_session_uid"]])
        steps = (
            (_COUNT_OF_SESSION, _counts(of_sessions)),
            (_BEGIN_TENANT, [{"counted_by": tenant_id, "new_tenant": tenant_id} for tenant_id in of_tenants]),
            (_COUNT_OF_TENANT, _counts(of_tenants)),
            (_WRITE, told),
        )
        return [step for statement, some in steps if some for step in statements.of(statement).each(some)]


def _counts(counts: Mapping[str, int]) -> list[Row]:
    return [{"counts": pairs(counts)}] if counts else []


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
