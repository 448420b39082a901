"""The writer: one task that runs all units of a process, and groups those that wait into one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import Driver, RowsUnfit
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.domain.errors import ShuttingDown, StoreUnavailable
from gateway.ports.queue import EVENTS
from gateway.ports.unit_of_work import Prefetch

T = TypeVar("T")

GROUP_AT_MOST: Final = 256
"""More wait for the next group, so that nobody's answer waits for thousands."""
_CROWD: Final = 4
"""So many who call at once are worth waiting for."""
_GATHER_SECONDS_AT_MOST: Final = 0.01
"""A group gathers for as long as the last one took to write, and no longer than this."""


@dataclass(slots=True)
class Entry:
    """A unit that waits for its group, and then its outcome for the commit."""

    work: Callable[[SqlUnitOfWork], Awaitable[Any]]
    prefetch: Prefetch
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def resolve(self) -> None:
        """Answer, unless the caller has gone."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.error)

    def fail(self, error: Exception) -> None:
        """Answer that it was not done."""
        self.error = error
        self.resolve()


class Writer:
    """Takes what waits as soon as it is idle. While a commit runs, the next group gathers; and while many call, a
    moment longer, until most of them wait: so those are written while the others are answered and call again. Smaller
    groups cost everyone more, larger ones leave nobody to be served meanwhile.
    """

    def __init__(
        self,
        database: Database,
        statements: Statements,
        moment: Callable[[], datetime],
        *,
        ring: Callable[..., None],
        committed: Callable[[int], None],
    ) -> None:
        self._database = database
        self._statements = statements
        self._moment = moment
        self._ring = ring
        self._committed = committed
        self._waiting: list[Entry] = []
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._wanted = 1
        self._closing = False
        self._driver: Driver | None = None
        self._known = Known()

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
            while not self._closing or self._waiting:
                await self._gather(min(took, _GATHER_SECONDS_AT_MOST))
                size = min(self._size(), GROUP_AT_MOST)
                group, self._waiting = self._waiting[:size], self._waiting[size:]
                if group:
                    begun = loop.time()
                    await self._write(group)
                    took = loop.time() - begun
                    crowd = len(group) + len(self._waiting)
                    self._wanted = _most(crowd) if crowd >= _CROWD else 1
        finally:
            self._closing = True
            for entry in self._waiting:
                entry.fail(StoreUnavailable())
            await self._disconnect()

    def _size(self) -> int:
        """How many of those who wait are the next group: all, or most of a crowd."""
        waiting = len(self._waiting)
        return waiting if self._wanted == 1 or self._closing else max(self._wanted, _most(waiting))

    async def _gather(self, seconds: float) -> None:
        """Wait until something waits, and then for so long until enough does."""
        if not self._waiting and not self._closing:
            self._some.clear()
            await self._some.wait()
        if len(self._waiting) < self._wanted and not self._closing:
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._enough.wait()

    async def _write(self, group: list[Entry]) -> None:
        try:
            await self._commit(group)
        except RowsUnfit as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            for entry in group:
                await self._write([entry])
        except asyncio.CancelledError:
            for entry in group:
                entry.fail(StoreUnavailable())
            raise
        except Exception as error:  # noqa: BLE001  # told to every caller of the group; the next group tries afresh
            await self._disconnect()
            for entry in group:
                entry.fail(error)

    async def _commit(self, group: list[Entry]) -> None:
        driver = await self._connect()
        connection = Connection(driver, self._statements, self._statements.idiom.begin_writing)
        known, self._known = self._known, Known()
        shared = self._database.is_shared
        transaction = Transaction(connection, self._moment(), known, writable=True, is_shared=shared)
        try:
            await _run(transaction, group)
            await transaction.commit()
        finally:
            await connection.rollback()
        if not shared:
            known.trim()
            self._known = known
        bells = transaction.bells.kept()
        if transaction.journal.grew:
            bells.setdefault(EVENTS, EVENTS)
        if bells:
            self._ring(*bells)
        self._committed(len(group))
        for entry in group:
            entry.resolve()

    async def _connect(self) -> Driver:
        if self._driver is None:
            self._driver = await self._database.writing()
        return self._driver

    async def _disconnect(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.end()


def _most(crowd: int) -> int:
    """Three in four: measured, with 64 callers, against a half and all."""
    return crowd * 3 // 4


async def _run(transaction: Transaction, group: list[Entry]) -> None:
    """Run each unit in its turn; what one raises is its own outcome, what the database raises is everyone's."""
    unit = SqlUnitOfWork(transaction)
    await unit.prefetch([entry.prefetch for entry in group])
    await transaction.keep()
    for entry in group:
        entry.result, entry.error = None, None
        try:
            entry.result = await entry.work(unit)
        except Exception as error:  # noqa: BLE001  # the outcome of the unit, told to its caller
            entry.error = error
        if transaction.connection.fault is not None:
            raise transaction.connection.fault
        if entry.error is None:
            await transaction.keep()
        else:
            await transaction.forget()
