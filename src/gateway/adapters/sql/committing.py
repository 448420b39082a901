"""Commits: a group of units becomes one transaction, or several if it cannot be one.

Where others write, too, three things can happen that do not on SQLite:

- Others hold what a unit needs. A group waits for it a moment. Then its units are tried one by one, each for a shorter
  one, and those that still cannot be done are handed back, to be tried later: nobody else waits for them.
- The connection breaks before COMMIT was sent. Nothing of the transaction is left, and units change nothing but through
  it: so they are run again, on a new connection.
- The connection breaks after COMMIT was sent. To run the units again might do everything twice. But the database knows
  what became of a transaction, and is asked: if it was committed, the callers are answered; if not, the units are run
  again; and if the database does not say it in time, the callers hear that the store is unavailable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway.adapters.sql.clock import Clock
from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import ConnectionLost, Contended, Driver, RowsUnfit
from gateway.adapters.sql.guard import Needs, needs_of
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.domain.errors import StoreUnavailable
from gateway.ports.queue import EVENTS
from gateway.ports.unit_of_work import Prefetch

_TRIES_AT_ONCE: Final = 5
_CONNECTIONS_LOST_AT_MOST: Final = 2
"""In a row; then the database is away, and the callers should know."""
_ONE_BY_ONE_SECONDS: Final = 0.5
_FATE_SECONDS: Final = 5.0
_ASK_AGAIN_SECONDS: Final = 0.05


@dataclass(slots=True, eq=False)
class Entry:
    """A unit that waits for its group, and then its outcome for the commit."""

    work: Callable[[SqlUnitOfWork], Awaitable[Any]]
    prefetch: Prefetch
    answer: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None
    was_unfit: bool = False
    """Whether its rows alone were refused before."""
    needs: Needs | None = None
    """What it turned out to need, if others held that."""
    give_up_at: float = 0.0
    """Until then it is tried, in the loop's time; 0 if it was not put aside yet."""

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


class Committer:
    """Runs groups, one at a time, and answers their callers."""

    def __init__(
        self,
        database: Database,
        statements: Statements,
        clock: Clock,
        *,
        ring: Callable[..., None],
        committed: Callable[[int], None],
    ) -> None:
        self._database = database
        self._statements = statements
        self._clock = clock
        self._ring = ring
        self._committed = committed
        self._driver: Driver | None = None
        self._known = Known()
        self._lost = 0

    async def write(self, group: list[Entry], *, briefly: bool = False) -> list[Entry]:
        """Do what a group wants, and answer; return those that others keep from being done, be it `briefly`."""
        try:
            await self._commit(group, briefly=briefly)
        except RowsUnfit as error:
            return await self._apart(group, error, briefly=briefly)
        except Contended:
            return await self._one_by_one(group) if len(group) > 1 else group
        except asyncio.CancelledError:
            for entry in group:
                entry.fail(StoreUnavailable())
            raise
        except Exception as error:  # noqa: BLE001  # told to every caller of the group; the next group tries afresh
            await self.disconnect()
            for entry in group:
                entry.fail(error)
        return []

    async def _apart(self, group: list[Entry], error: RowsUnfit, *, briefly: bool) -> list[Entry]:
        """Find out which unit of a group is at fault. Where others write, they may just have been first: then the unit
        finds what they wrote, if it is run again.
        """
        if len(group) > 1:
            return [left for entry in group for left in await self.write([entry], briefly=briefly)]
        entry = group[0]
        if self._database.is_shared and not entry.was_unfit:
            entry.was_unfit = True
            return await self.write(group, briefly=briefly)
        entry.fail(error)
        return []

    async def disconnect(self) -> None:
        """End the connection."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.end()

    async def _one_by_one(self, group: list[Entry]) -> list[Entry]:
        """Do what can be done soon; who needs what was just found to be held is not even tried, and nobody once this
        took long: then it is not rows that are held, but tables.
        """
        held, left, until = Needs(), list[Entry](), asyncio.get_running_loop().time() + _ONE_BY_ONE_SECONDS
        for entry in group:
            needs = needs_of([entry.prefetch])
            is_late = asyncio.get_running_loop().time() > until
            if is_late or needs.meets(held) or await self.write([entry], briefly=True):
                held.add(entry.needs or needs)
                left.append(entry)
        return left

    async def _commit(self, group: list[Entry], *, briefly: bool) -> None:
        needs = needs_of(entry.prefetch for entry in group)
        for entry in group:
            if entry.needs is not None:
                needs.add(entry.needs)
        for _ in range(_TRIES_AT_ONCE):
            if await self._is_committed(group, needs, briefly=briefly):
                return
        raise Contended("others were always first")

    async def _is_committed(self, group: list[Entry], needs: Needs, *, briefly: bool) -> bool:
        """Do it in one transaction, and answer, unless it has to be begun anew; `needs` are then what it needs."""
        idiom = self._statements.idiom
        begin = idiom.begin_briefly if briefly else idiom.begin_writing
        connection = Connection(await self._connect(), self._statements, begin)
        known, self._known = self._known, Known()
        shared = self._database.is_shared
        transaction = Transaction(connection, self._clock.moment(), known, writable=True, is_shared=shared)
        try:
            await _run(transaction, group, needs, self._clock)
            await transaction.commit()
        except Contended:
            needs.add(transaction.guard.needs)
            if transaction.guard.asks_again or connection.is_committing:
                return False
            if len(group) == 1:
                group[0].needs = needs
            raise
        except ConnectionLost:
            await self.disconnect()
            if not await self._was_committed(connection, transaction.guard.xact):
                return False
        finally:
            await connection.rollback()
        self._lost = 0
        if not shared:
            known.trim()
            self._known = known
        self._answer(transaction, group)
        return True

    async def _was_committed(self, connection: Connection, xact: str) -> bool:
        """What became of a transaction whose connection broke."""
        self._lost += 1
        if not connection.is_committing:
            if self._lost > _CONNECTIONS_LOST_AT_MOST:
                raise StoreUnavailable
            return False
        if not xact:
            raise StoreUnavailable
        try:
            async with asyncio.timeout(_FATE_SECONDS):
                while (fate := await self._fate_of(xact)) is None:  # noqa: ASYNC110  # the database rings no bell
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)  # the database rings no bell
        except TimeoutError as error:
            raise StoreUnavailable from error
        return fate

    async def _fate_of(self, xact: str) -> bool | None:
        try:
            return await self._database.fate_of(await self._connect(), xact)
        except ConnectionLost:
            await self.disconnect()
        except StoreUnavailable:
            pass
        return None

    def _answer(self, transaction: Transaction, group: list[Entry]) -> None:
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
        await self._clock.look(self._database, self._driver)
        return self._driver


async def _run(transaction: Transaction, group: list[Entry], needs: Needs, clock: Clock) -> None:
    """Run each unit in its turn; what one raises is its own outcome, what the database raises is everyone's. Where
    others write, all happens after the sessions were held: so moments are in the order of commits, whoever waited.
    """
    unit = SqlUnitOfWork(transaction)
    await unit.prefetch([entry.prefetch for entry in group], needs)
    if transaction.guard.moment is not None:
        transaction.now = clock.told(transaction.guard.moment)
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
