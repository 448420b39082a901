"""The writer: one task that runs all units of a process, and groups those that wait into one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from gateway.adapters.sql.committing import Committer, Entry
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.adapters.sql.waiting_room import WaitingRoom
from gateway.domain.errors import ShuttingDown, StoreUnavailable
from gateway.ports.unit_of_work import Prefetch

T = TypeVar("T")

GROUP_AT_MOST: Final = 256
"""More wait for the next group, so that nobody's answer waits for thousands."""
_CROWD: Final = 4
"""So many who call at once are worth waiting for."""
_GATHER_SECONDS_AT_MOST: Final = 0.01
"""A group gathers for as long as the last one took to write, and no longer than this."""


class Writer:
    """Takes what waits as soon as it is idle. While a commit runs, the next group gathers; and while many call, a
    moment longer, until most of them wait: so those are written while the others are answered and call again. Smaller
    groups cost everyone more, larger ones leave nobody to be served meanwhile.
    """

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._waiting: list[Entry] = []
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._wanted = 1
        self._closing = False
        self._aside = WaitingRoom(self._some.set)

    async def write(self, work: Callable[[SqlUnitOfWork], Awaitable[T]], prefetch: Prefetch) -> T:
        """Have a unit run, and wait for its outcome; a caller that is cancelled withdraws nothing."""
        if self._closing:
            raise ShuttingDown
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Entry(work, prefetch, answer))
        self._some.set()
        if len(self._waiting) >= self._wanted:
            self._enough.set()
        return await answer

    def close(self) -> None:
        """Take nothing more; `run` ends when all that waits is done."""
        self._closing = True
        self._some.set()
        self._enough.set()

    async def run(self) -> None:
        """Write until closed."""
        loop = asyncio.get_running_loop()
        took = 0.0
        try:
            while not self._closing or self._waiting or self._aside:
                await self._gather(min(took, _GATHER_SECONDS_AT_MOST))
                if self._aside.is_due:
                    self._aside.put(await self._committer.write(self._aside.take(), briefly=True))
                size = min(self._size(), GROUP_AT_MOST)
                group, self._waiting = self._waiting[:size], self._waiting[size:]
                group = self._aside.sift(group)
                if group:
                    begun = loop.time()
                    self._aside.put(await self._committer.write(group))
                    took = loop.time() - begun
                    crowd = len(group) + len(self._waiting)
                    self._wanted = _most(crowd) if crowd >= _CROWD else 1
        finally:
            self._closing = True
            for entry in (*self._waiting, *self._aside.take()):
                entry.fail(StoreUnavailable())
            await self._committer.disconnect()

    def _size(self) -> int:
        """How many of those who wait are the next group: all, or most of a crowd."""
        waiting = len(self._waiting)
        return waiting if self._wanted == 1 or self._closing else max(self._wanted, _most(waiting))

    async def _gather(self, seconds: float) -> None:
        """Wait until something waits, and then for so long until enough does."""
        if not self._waiting and not self._aside.is_due and not (self._closing and not self._aside):
            self._some.clear()
            await self._some.wait()
        if 0 < len(self._waiting) < self._wanted and not self._closing:
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._enough.wait()


def _most(crowd: int) -> int:
    """Three in four: measured, with 64 callers, against a half and all."""
    return crowd * 3 // 4
