"""The log in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from gateway.adapters.sql.columns import among, is_set, listed
from gateway.adapters.sql.lookups import Question
from gateway.adapters.sql.moments import moment_if_any
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.tables import events, log_starts
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import from_micros, micros_of, to_micros
from gateway.domain.events import EVERYTHING, EventFilter, StoredEvent, kind_of
from gateway.ports.unit_of_work import LogEnds
from wagate.v1 import event_pb2

_OF_TENANT = events.c.tenant_id == bindparam("tenant_id")
_AFTER = select(events).where(events.c.position > bindparam("after")).order_by(events.c.position)
_CONDITIONS = {
    "tenant_id": _OF_TENANT,
    "session_ids": among(events.c.session_id, "session_ids"),
    "of_sessions": is_set(events.c.session_uid),
    "kinds": among(events.c.kind, "kinds"),
    "chat_ids": among(events.c.chat_id, "chat_ids"),
}
_KINDS = tuple(kind_of(name.name) for name in event_pb2.Event.DESCRIPTOR.oneofs_by_name["what"].fields)
_FROM_MOMENT = (
    select(events.c.position)
    .where(_OF_TENANT, events.c.record_time >= bindparam("moment"))
    .order_by(events.c.record_time, events.c.position)
    .limit(1)
)
_EARLIER = select(func.min(events.c.position).label("position")).where(
    _OF_TENANT,
    events.c.position >= bindparam("moment"),
    events.c.position < bindparam("found"),
    events.c.record_time >= bindparam("moment"),
)
"""Where several write, what was recorded first need not come first; but no position there is from before its moment."""
_PLACED = select(events.c.position, events.c.record_time).where(_OF_TENANT).limit(1)
_OLDEST = _PLACED.order_by(events.c.position)
_START = select(log_starts.c.position).where(log_starts.c.tenant_id == bindparam("tenant_id"))
_LAST = select(func.max(events.c.position).label("position"))
_LAST_START = select(func.max(log_starts.c.position).label("position"))
_NEWEST = _PLACED.order_by(events.c.position.desc())


@cache
def _after(shape: frozenset[str]) -> Select[Any]:
    """Events that meet some of the conditions."""
    wanted = _AFTER.where(*(condition for name, condition in _CONDITIONS.items() if name in shape))
    return wanted.limit(bindparam("limit"))


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
                "record_time": micros_of(event.record_time),
                "body": event.SerializeToString(),
            }
        )

    async def after(
        self, tenant_id: str | None, position: int, *, limit: int, which: EventFilter | None = None
    ) -> list[StoredEvent]:
        asked = _asked(tenant_id, which or EVERYTHING)
        parameters = {"after": position, "limit": limit, **asked}
        return [_event_of(row) for row in await self._rows(_after(frozenset(asked)), parameters)]

    async def position_before(self, tenant_id: str, moment: datetime) -> int:
        parameters = {"tenant_id": tenant_id, "moment": to_micros(moment)}
        for row in await self._rows(_FROM_MOMENT, parameters):
            (earlier,) = await self._rows(_EARLIER, {**parameters, "found": row["position"]})
            position: int = earlier["position"] or row["position"]
            return position - 1
        return (await self.ends(tenant_id)).newest

    async def newest(self) -> int:
        await self._transaction.write_events()
        last, started = await self._transaction.connection.ask([Question(_LAST, {}), Question(_LAST_START, {})])
        return max(last[0]["position"] or 0, started[0]["position"] or 0)

    async def ends(self, tenant_id: str) -> LogEnds:
        """See `gateway.ports.unit_of_work.Events`. The log is looked at first: so none of it is taken away until the
        transaction ends, and where it begins stays true for what is read after this.
        """
        await self._transaction.write_events()
        asked = [Question(statement, {"tenant_id": tenant_id}) for statement in (_OLDEST, _NEWEST, _START)]
        oldest, newest, started = await self._transaction.connection.ask(asked)
        start = started[0]["position"] if started else 0
        if not oldest or not newest:
            return LogEnds(start, start)
        return LogEnds(
            oldest=start,
            newest=newest[0]["position"],
            oldest_time=moment_if_any(oldest[0]["record_time"]),
            newest_time=moment_if_any(newest[0]["record_time"]),
        )

    async def _rows(self, statement: Select[Any], parameters: dict[str, object]) -> Sequence[Row]:
        """Read, with the events of the finished units; those of the unit under way are numbered at its end."""
        await self._transaction.write_events()
        return await self._transaction.connection.rows(statement, parameters)


def _asked(tenant_id: str | None, which: EventFilter) -> dict[str, object]:
    """What of a filter narrows, as parameters; each goes with the condition of its name."""
    asked: dict[str, object] = {} if tenant_id is None else {"tenant_id": tenant_id}
    if which.session_ids:
        asked["session_ids"] = listed(sorted(which.session_ids | ({""} if which.tenant_events else set())))
    elif not which.tenant_events:
        asked["of_sessions"] = ""
    if which.kinds:
        asked["kinds"] = listed(sorted(_spelt_out(which.kinds)))
    if which.chat_ids:
        asked["chat_ids"] = listed(sorted(which.chat_ids))
    return asked


def _spelt_out(kinds: frozenset[str]) -> set[str]:
    """Kinds with each `noun.*` replaced by the kinds of the contract that it stands for."""
    return {kind for kind in _KINDS if {kind, kind.partition(".")[0] + ".*"} & kinds}


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
