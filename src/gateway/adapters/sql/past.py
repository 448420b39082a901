"""The past in SQL: what is old goes in small parts, each found through an index and small enough to hold nobody up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile
from typing import Final

from sqlalchemy import bindparam, delete, exists, insert, not_, select, update

from gateway.adapters.sql.columns import among, is_unsent, listed
from gateway.adapters.sql.log_parts import forget_parts
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.tables import events, log_starts, messages, receipts, request_ids
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros

_FIRST: Final = 0
"""Positions and ordinals begin behind it."""

OLDEST_EVENTS: Final = (
    select(events.c.position, events.c.tenant_id, events.c.record_time)
    .where(events.c.position > _FIRST)
    .order_by(events.c.position)
    .limit(bindparam("limit"))
)
_DROP_EVENTS: Final = delete(events).where(events.c.position <= bindparam("last"))
_BEGIN_LOG: Final = (
    insert(log_starts)
    .inline()
    .from_select(
        ["tenant_id"],
        select(bindparam("new_tenant", type_=log_starts.c.tenant_id.type)).where(
            ~exists().where(log_starts.c.tenant_id == bindparam("tenant"))
        ),
    )
)
_MOVE_START: Final = (
    update(log_starts).values(position=bindparam("start")).where(log_starts.c.tenant_id == bindparam("tenant"))
)

OLDEST_MESSAGES: Final = (
    select(messages.c.ordinal, messages.c.message_id, messages.c.create_time)
    .where(messages.c.ordinal > _FIRST, not_(is_unsent(messages.c.state)))
    .order_by(messages.c.ordinal)
    .limit(bindparam("limit"))
)
"""Of those at an end. Ordinals are given as messages are accepted: the oldest come first, or nearly so."""
_DROP_MESSAGES: Final = delete(messages).where(among(messages.c.message_id, "ids"))
_DROP_RECEIPTS: Final = delete(receipts).where(among(receipts.c.message_id, "ids"))

OLDEST_REQUESTS: Final = (
    select(request_ids.c.create_time)
    .where(request_ids.c.create_time < bindparam("before"))
    .order_by(request_ids.c.create_time)
    .limit(bindparam("limit"))
)
_DROP_REQUESTS: Final = delete(request_ids).where(request_ids.c.create_time <= bindparam("last"))


class SqlPast:
    """See `gateway.ports.unit_of_work.Past`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    async def forget_events(self, before: datetime, limit: int) -> int:
        if self._transaction.guard.is_needed:
            await self._change()
            return await forget_parts(self._connection, min(before, self._transaction.now))
        rows = await self._connection.rows(OLDEST_EVENTS, {"limit": limit})
        moment = to_micros(before)
        old = list(takewhile(lambda row: row["record_time"] < moment, rows))
        if old:
            await self._change()
            await self._move_starts({row["tenant_id"]: row["position"] for row in old})
            await self._connection.rows(_DROP_EVENTS, {"last": old[-1]["position"]})
        return len(old)

    async def forget_messages(self, before: datetime, limit: int) -> int:
        rows = await self._connection.rows(OLDEST_MESSAGES, {"limit": limit})
        moment = to_micros(before)
        old = listed(ids) if (ids := [row["message_id"] for row in rows if row["create_time"] < moment]) else ""
        if old:
            await self._change()
            for statement in (_DROP_RECEIPTS, _DROP_MESSAGES):
                await self._connection.rows(statement, {"ids": old})
            for layer in (self._transaction.messages, self._transaction.message_keys, self._transaction.receipts):
                layer.clear()
        return len(ids)

    async def forget_requests(self, before: datetime, limit: int) -> int:
        rows = await self._connection.rows(OLDEST_REQUESTS, {"before": to_micros(before), "limit": limit})
        if rows:
            await self._change()
            await self._connection.rows(_DROP_REQUESTS, {"last": rows[-1]["create_time"]})
            self._transaction.requests.clear()
        return len(rows)

    async def _change(self) -> None:
        """Change rows in the database itself, so that it can be undone."""
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()

    async def _move_starts(self, positions: Mapping[str, int]) -> None:
        """From now on the tenants' logs begin behind these positions."""
        begun: list[Row] = [{"tenant": tenant_id, "new_tenant": tenant_id} for tenant_id in positions]
        moved: list[Row] = [{"tenant": tenant_id, "start": position} for tenant_id, position in positions.items()]
        await self._connection.each(_BEGIN_LOG, begun)
        await self._connection.each(_MOVE_START, moved)
