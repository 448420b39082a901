"""What was done under request ids, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select

from gateway.adapters.sql.columns import among, listed
from gateway.adapters.sql.lookups import Lookup, Question
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import request_ids
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import from_micros, to_micros
from gateway.domain.requests import RequestKey, RequestRecord

_FIND = select(request_ids).where(
    request_ids.c.tenant_id == bindparam("tenant_id"),
    request_ids.c.rpc == bindparam("rpc"),
    request_ids.c.session_id == bindparam("session_id"),
    among(request_ids.c.request_id, "ids"),
)


class SqlRequests:
    """See `gateway.ports.unit_of_work.Requests`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.requests

    async def find(self, key: RequestKey) -> RequestRecord | None:
        row = await self._row(key)
        return _record_of(key, row) if row else None

    async def add(self, record: RequestRecord) -> None:
        self._transaction.changing()
        self._rows.add(record.key, _row_of(record))

    def lookups(self, keys: Iterable[RequestKey]) -> Iterator[Lookup]:
        """What to ask for the keys that are not known yet: one question per RPC and session."""
        asked: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for key in keys:
            if self._rows.find(key) is UNKNOWN:
                asked[key.tenant_id, key.rpc, key.session_id].append(key.request_id)
        for scope, ids in asked.items():
            parameters = dict(zip(("tenant_id", "rpc", "session_id"), scope, strict=True))
            yield Lookup(Question(_FIND, {**parameters, "ids": listed(ids)}), partial(self._learn, scope, ids))

    def _learn(self, scope: tuple[str, str, str], ids: list[str], rows: list[Row]) -> None:
        for row in rows:
            self._rows.learn(RequestKey(*scope, row["request_id"]), row)
        for request_id in ids:
            self._rows.learn(RequestKey(*scope, request_id), None)

    async def _row(self, key: RequestKey) -> Row | None:
        await self._transaction.connection.look(self.lookups([key]))
        row = self._rows.find(key)
        return None if row is UNKNOWN else row


def _row_of(record: RequestRecord) -> dict[str, Any]:
    return {
        "tenant_id": record.key.tenant_id,
        "rpc": record.key.rpc,
        "session_id": record.key.session_id,
        "request_id": record.key.request_id,
        "fingerprint": record.fingerprint,
        "resource_id": record.resource_id,
        "create_time": to_micros(record.create_time),
        "answer": record.answer,
    }


def _record_of(key: RequestKey, row: Row) -> RequestRecord:
    return RequestRecord(
        key=key,
        fingerprint=row["fingerprint"],
        resource_id=row["resource_id"],
        create_time=from_micros(row["create_time"]),
        answer=row["answer"],
    )
