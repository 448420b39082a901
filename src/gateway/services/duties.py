"""Duties: what only one worker at a time is to do."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from gateway.ports.unit_of_work import Store

_LOOK_EVERY_SECONDS: Final = 3.0


class Duties(Protocol):
    """Tells one worker whether it has them."""

    async def are_mine(self) -> bool:
        """Whether this worker does them now. Raises StoreUnavailable: nobody can tell."""


class DutiesOfOne:
    """Nobody else works on the store."""

    async def are_mine(self) -> bool:
        return True


class DutiesOfTheEldest:
    """The eldest worker of those alive has them. Around a change two may have them for a moment, which every unit of
    work can stand; and for as long as it takes to take a worker for lost, nobody may.
    """

    def __init__(self, store: Store, worker_id: str) -> None:
        self._store = store
        self._worker_id = worker_id
        self._mine = False
        self._look_at = 0.0

    async def are_mine(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            self._mine = False
            self._mine = await self._eldest() == self._worker_id
            self._look_at = now + _LOOK_EVERY_SECONDS
        return self._mine

    async def _eldest(self) -> str:
        roll = await self._store.read(lambda uow: uow.workers.roll())
        alive = [worker for worker in roll.workers if worker.is_alive(roll.moment)]
        return min(((worker.start_time, worker.worker_id) for worker in alive), default=(None, ""))[1]
