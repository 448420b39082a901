"""The journal: events that units told, until they are numbered and written."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import bindparam, select

from gateway.adapters.sql.connection import Connection, RowsUnfit
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.tables import sessions, tenant_sequences

_OF_SESSIONS = (
    select(sessions.c.uid, sessions.c.next_sequence)
    .where(sessions.c.uid.in_(bindparam("uids", expanding=True)))
    .order_by(sessions.c.uid)
    .with_for_update()
)
_OF_TENANTS = (
    select(tenant_sequences)
    .where(tenant_sequences.c.tenant_id.in_(bindparam("tenant_ids", expanding=True)))
    .order_by(tenant_sequences.c.tenant_id)
    .with_for_update()
)


class Journal:
    """Rows of events without their numbers: those of the finished units, and those of the unit under way."""

    def __init__(self) -> None:
        self._kept: list[dict[str, Any]] = []
        self._own: list[dict[str, Any]] = []
        self.grew = False
        """Whether events were written in this transaction."""

    @property
    def is_waiting(self) -> bool:
        """Whether finished units told events that are not written yet."""
        return bool(self._kept)

    def tell(self, row: dict[str, Any]) -> None:
        """Want an event told."""
        self._own.append(row)

    def keep(self) -> None:
        self._kept += self._own
        self._own.clear()

    def forget(self) -> None:
        self._own.clear()

    async def write(self, connection: Connection, statements: Statements) -> None:
        """Number the events of the finished units and write them.

        Raises:
            RowsUnfit: an event belongs to a session that does not exist.
        """
        rows, self._kept = self._kept, []
        if not rows:
            return
        numbers = await _session_numbers(connection, statements, rows)
        numbers |= await _tenant_numbers(connection, statements, rows)
        for row in rows:
            counted_by = _counted_by(row)
            row["sequence"] = numbers[counted_by]
            numbers[counted_by] += 1
        await connection.write(statements.events.insert, rows)
        self.grew = True


def _counted_by(row: dict[str, Any]) -> tuple[str, str]:
    uid = row["session_uid"]
    return ("", uid) if uid else (row["tenant_id"], "")


async def _session_numbers(
    connection: Connection, statements: Statements, rows: list[dict[str, Any]]
) -> dict[tuple[str, str], int]:
    """Take a number for each event from the rows of their sessions, in the order of uids."""
    counts = Counter(row["session_uid"] for row in rows if row["session_uid"])
    if not counts:
        return {}
    found = await connection.rows(_OF_SESSIONS, {"uids": sorted(counts)})
    if len(found) != len(counts):
        raise RowsUnfit("an event belongs to a session that does not exist")
    nexts = {row["uid"]: row["next_sequence"] for row in found}
    taken = [{"uid": uid, "next_sequence": number + counts[uid]} for uid, number in nexts.items()]
    await connection.write(statements.count_sessions, taken)
    return {("", uid): number for uid, number in nexts.items()}


async def _tenant_numbers(
    connection: Connection, statements: Statements, rows: list[dict[str, Any]]
) -> dict[tuple[str, str], int]:
    """Take a number for each event of no session from the rows of their tenants."""
    counts = Counter(row["tenant_id"] for row in rows if not row["session_uid"])
    if not counts:
        return {}
    found = await connection.rows(_OF_TENANTS, {"tenant_ids": sorted(counts)})
    nexts = {row["tenant_id"]: row["next_sequence"] for row in found}
    for statement, tenant_ids in (
        (statements.count_tenants, sorted(nexts)),
        (statements.begin_counting, sorted(counts.keys() - nexts.keys())),
    ):
        taken = [{"tenant_id": of, "next_sequence": nexts.get(of, 1) + counts[of]} for of in tenant_ids]
        await connection.write(statement, taken)
    return {(tenant_id, ""): nexts.get(tenant_id, 1) for tenant_id in counts}
