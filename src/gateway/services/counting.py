"""Counting: what there is, told to the meter."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.domain.sessions import Census, State
from gateway.ports.meter import Meter
from gateway.ports.unit_of_work import Store, UnitOfWork


class Counting:
    """Counts sessions and outboxes."""

    def __init__(self, store: Store, meter: Meter) -> None:
        self._store = store
        self._meter = meter

    def leave_to_another(self) -> None:
        """Show nothing: another worker counts."""
        self._meter.sessions_seen({})
        self._meter.outbox_seen(0, 0)

    async def count(self) -> None:
        """Count once."""

        async def work(uow: UnitOfWork) -> tuple[Census, datetime]:
            return await uow.sessions.census(), uow.now

        census, now = await self._store.read(work)
        self._meter.sessions_seen({State.Name(state): count for state, count in census.by_state.items()})
        oldest = census.outbox.oldest_due_time
        waited = max(now - oldest, timedelta(0)) if oldest else timedelta(0)
        self._meter.outbox_seen(census.outbox.count, waited.total_seconds())
