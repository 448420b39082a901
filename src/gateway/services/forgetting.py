"""Forgetting: what is older than it has to be kept is removed, a little at a time, so that it delays nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.requests import KEPT_FOR
from gateway.domain.retention import Retention
from gateway.ports.meter import Meter
from gateway.ports.unit_of_work import Past, Store, UnitOfWork

AT_ONCE: Final = 200
"""Rows of one unit: those who wait for the same commit wait some milliseconds longer."""
_UNITS_AT_MOST: Final = 25
"""Of each sort in one go, so that whoever does other things beside this gets to them."""

_Forget = Callable[[Past, datetime, int], Awaitable[int]]


class Forgetting:
    """Carries retention out."""

    def __init__(self, store: Store, retention: Retention, meter: Meter) -> None:
        self._store = store
        self._meter = meter
        self._sorts: tuple[tuple[str, timedelta | None, _Forget], ...] = (
            ("events", retention.events, lambda past, before, limit: past.forget_events(before, limit)),
            ("request_ids", KEPT_FOR, lambda past, before, limit: past.forget_requests(before, limit)),
            ("messages", retention.messages, lambda past, before, limit: past.forget_messages(before, limit)),
        )

    async def forget_old(self) -> dict[str, int]:
        """Remove some of what is too old; tell how many of each sort."""
        await self._store.tidy()
        forgotten: dict[str, int] = {}
        for sort, kept_for, forget in self._sorts:
            count = await self._forget(kept_for, forget) if kept_for is not None else 0
            if count:
                forgotten[sort] = count
                self._meter.forgotten(sort, count)
        return forgotten

    async def _forget(self, kept_for: timedelta, forget: _Forget) -> int:
        async def work(uow: UnitOfWork) -> int:
            return await forget(uow.past, uow.now - kept_for, AT_ONCE)

        count = 0
        for _ in range(_UNITS_AT_MOST):
            gone = await self._store.write(work)
            count += gone
            if gone < AT_ONCE:
                break
        return count
