"""A store that fails when it is told to: a real one, and what goes wrong on the way there and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from gateway.adapters.sql.store import SqlStore
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.domain.errors import StoreUnavailable
from gateway.ports.unit_of_work import NOTHING, Prefetch, StoreHealth
from tests.stage.faulty.plan import Fault, Plan

T = TypeVar("T")


class FaultyStore(SqlStore):
    """See `gateway.ports.unit_of_work.Store`. Units go wrong by the name of who writes, such as `Outbox.begin`."""

    def __init__(self, store: SqlStore) -> None:
        self.signer = store.signer
        self.plan = Plan()
        self._store = store

    async def write(self, work: Callable[[SqlUnitOfWork], Awaitable[T]], prefetch: Prefetch = NOTHING) -> T:
        fault = self.plan.next(writer_of(work))
        if fault is Fault.NOT_DONE:
            raise StoreUnavailable
        answer = await self._store.write(work, prefetch)
        if fault is Fault.ANSWER_LOST:
            raise StoreUnavailable
        return answer

    async def read(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        return await self._store.read(work)

    async def tidy(self) -> None:
        await self._store.tidy()

    def health(self) -> StoreHealth:
        return self._store.health()


def writer_of(work: Callable[..., Any]) -> str:
    """Who made a unit: `Outbox.begin` of `Outbox.begin.<locals>.work`."""
    return work.__qualname__.partition(".<locals>")[0]
