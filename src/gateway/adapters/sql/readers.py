"""Readers: a few connections beside the writer, each unit on a snapshot of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import ConnectionLost, Contended, Driver
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.domain.errors import StoreUnavailable

T = TypeVar("T")

_HELD_SECONDS: Final = 10.0
"""For so long a reader asks again for a table that is held."""


class Readers:
    """Runs units that only read, as many at once as there are connections. One that is lost is made anew."""

    def __init__(self, database: Database, statements: Statements, moment: Callable[[], datetime]) -> None:
        self._database = database
        self._places: asyncio.LifoQueue[Driver | None] = asyncio.LifoQueue()
        for _ in range(database.readers):
            self._places.put_nowait(None)
        self._statements = statements
        self._moment = moment

    async def read(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        """Run a unit on one snapshot, and leave no trace; so it is run again if its connection was lost, and while
        somebody who changes the schema holds a table.
        """
        loop, lost = asyncio.get_running_loop(), False
        give_up_at = loop.time() + _HELD_SECONDS
        while True:
            try:
                return await self._read(work)
            except ConnectionLost:
                if lost:
                    raise
                lost = True
            except Contended as error:
                if loop.time() > give_up_at:
                    raise StoreUnavailable from error

    async def _read(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        driver = await self._places.get()
        try:
            driver = driver or await self._database.reading()
            connection = Connection(driver, self._statements, self._statements.idiom.begin_reading)
            try:
                transaction = Transaction(connection, self._moment(), Known(), writable=False)
                return await work(SqlUnitOfWork(transaction))
            except ConnectionLost:
                await driver.end()
                driver = None
                raise
            finally:
                if driver is not None:
                    connection.drop()
        finally:
            self._places.put_nowait(driver)

    async def close(self) -> None:
        """End all connections, once nobody reads any more."""
        while not self._places.empty():
            driver = self._places.get_nowait()
            if driver is not None:
                await driver.end()
