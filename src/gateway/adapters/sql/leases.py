"""Leases in SQL."""

from __future__ import annotations

from datetime import timedelta

from gateway.adapters.sql.store import SqlStore
from gateway.domain.leases import Lease
from gateway.domain.workers import Roll, Worker


class SqlLeases:
    """See `gateway.ports.leases.Leases`. Rows of the store. What a worker asks for waits behind no unit of its
    sessions: they may be thousands, and their leases run out meanwhile.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def look(self) -> Roll:
        return await self._store.write_ahead(lambda unit: unit.sql_workers.roll())

    async def claim(
        self, owner_id: str, *, limit: int, ttl: timedelta, free_for: timedelta = timedelta(0)
    ) -> list[Lease]:
        return await self._store.write_ahead(lambda unit: unit.sql_fences.claim(owner_id, limit, ttl, free_for))

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        return await self._store.write_ahead(lambda unit: unit.sql_fences.renew(owner_id, ttl))

    async def check_in(self, worker: Worker, ttl: timedelta) -> tuple[list[Lease], Roll]:
        return await self._store.write_ahead(lambda unit: unit.sql_fences.check_in(worker, ttl))

    async def leave(self, worker_id: str) -> None:
        await self._store.write(lambda unit: unit.sql_workers.leave(worker_id))

    async def end_all(self) -> None:
        await self._store.write(lambda unit: unit.sql_fences.end_all())

    async def release(self, lease: Lease) -> None:
        await self._store.write(lambda unit: unit.sql_fences.release(lease))
