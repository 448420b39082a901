"""The log in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from gateway.adapters.sql.moments import moment_if_any
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.tables import events
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import from_micros, from_timestamp, to_micros
from gateway.domain.events import EventFilter, StoredEvent
from gateway.ports.unit_of_work import LogEnds
from wagate.v1 import event_pb2

_OF_TENANT = events.c.tenant_id == bindparam("tenant_id")
_AFTER = select(events).where(events.c.position > bindparam("after")).order_by(events.c.position)
_FROM_MOMENT = (
    select(events.c.position)
    .where(_OF_TENANT, events.c.record_time >= bindparam("moment"))
    .order_by(events.c.record_time, events.c.position)
    .limit(1)
)
_PLACED = select(events.c.position, events.c.record_time).where(_OF_TENANT).limit(1)
_OLDEST = _PLACED.order_by(events.c.position)
_LAST = select(func.max(events.c.position).label("position"))
_NEWEST = _PLACED.order_by(events.c.position.desc())


class SqlEvents:
    """See `gateway.ports.unit_of_work.Events`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def tell(self, tenant_id: str, event: event_pb2.Event) -> None:
        self._transaction.changing()
        self._transaction.journal.tell(
            {
                "tenant_id": tenant_id,
                "event_id": event.event_id,
                "session_id": event.session_id,
                "session_uid": event.session_uid,
                "kind": event.kind,
                "chat_id": event.chat_id,
                "record_time": to_micros(from_timestamp(event.record_time)),
                "body": event.SerializeToString(),
            }
        )

    async def after(
        self, tenant_id: str | None, position: int, *, limit: int, which: EventFilter | None = None
    ) -> list[StoredEvent]:
        statement = _AFTER.limit(limit)
        parameters: dict[str, object] = {"after": position}
        if tenant_id is not None:
            statement = statement.where(_OF_TENANT)
            parameters["tenant_id"] = tenant_id
        if which is not None:
            statement = statement.where(*_wanted(which))
        return [_event_of(row) for row in await self._rows(statement, parameters)]

    async def position_before(self, tenant_id: str, moment: datetime) -> int:
        parameters = {"tenant_id": tenant_id, "moment": to_micros(moment)}
        for row in await self._rows(_FROM_MOMENT, parameters):
            position: int = row["position"]
            return position - 1
        return (await self.ends(tenant_id)).newest

    async def newest(self) -> int:
        rows = await self._rows(_LAST, {})
        position: int = rows[0]["position"] or 0
        return position

    async def ends(self, tenant_id: str) -> LogEnds:
        oldest = await self._rows(_OLDEST, {"tenant_id": tenant_id})
        newest = await self._rows(_NEWEST, {"tenant_id": tenant_id})
        if not oldest or not newest:
            return LogEnds(0, 0)
        return LogEnds(
            oldest=oldest[0]["position"] - 1,
            newest=newest[0]["position"],
            oldest_time=moment_if_any(oldest[0]["record_time"]),
            newest_time=moment_if_any(newest[0]["record_time"]),
        )

    async def _rows(self, statement: Select[Any], parameters: dict[str, object]) -> Sequence[Row]:
        """Read, with the events of the finished units; those of the unit under way are numbered at its end."""
        await self._transaction.write_events()
        return await self._transaction.connection.rows(statement, parameters)


def _wanted(which: EventFilter) -> Iterable[ColumnElement[bool]]:
    """What `EventFilter.wants` says, in SQL."""
    of_tenant = events.c.session_uid == ""
    of_session = events.c.session_uid != ""
    if which.session_ids:
        of_session = and_(of_session, events.c.session_id.in_(sorted(which.session_ids)))
    if which.session_ids or not which.tenant_events:
        yield or_(of_tenant, of_session) if which.tenant_events else of_session
    if which.kinds:
        yield or_(*(_of_kind(kind) for kind in sorted(which.kinds)))
    if which.chat_ids:
        yield events.c.chat_id.in_(sorted(which.chat_ids))


def _of_kind(kind: str) -> ColumnElement[bool]:
    if kind.endswith(".*"):
        return func.substr(events.c.kind, 1, len(kind) - 1) == kind.removesuffix("*")
    return events.c.kind == kind


def _event_of(row: Row) -> StoredEvent:
    return StoredEvent(
        position=row["position"],
        tenant_id=row["tenant_id"],
        session_id=row["session_id"],
        session_uid=row["session_uid"],
        sequence=row["sequence"],
        kind=row["kind"],
        chat_id=row["chat_id"],
        record_time=from_micros(row["record_time"]),
        body=row["body"],
    )
