"""Leases in SQL."""

from __future__ import annotations

from datetime import timedelta

from gateway.adapters.sql.store import SqlStore
from gateway.domain.leases import Lease


class SqlLeases:
    """See `gateway.ports.leases.Leases`. Rows of the store, changed by its writer like all others."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def claim(self, owner_id: str, *, limit: int, ttl: timedelta) -> list[Lease]:
        if not await self._store.read(lambda unit: unit.sql_fences.has_free()):
            return []
        return await self._store.write(lambda unit: unit.sql_fences.claim(owner_id, limit, ttl))

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        return await self._store.write(lambda unit: unit.sql_fences.renew(owner_id, ttl))

    async def end_all(self) -> None:
        await self._store.write(lambda unit: unit.sql_fences.end_all())

    async def release(self, lease: Lease) -> None:
        await self._store.write(lambda unit: unit.sql_fences.release(lease))
