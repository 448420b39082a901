"""Readers: a few connections beside the writer, each unit on a snapshot of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TypeVar

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import Driver
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.sqlite import BEGIN_READING, READERS, connect, driver_of, reading_engine
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.units import SqlUnitOfWork

T = TypeVar("T")


class Readers:
    """Runs units that only read, as many at once as there are connections."""

    def __init__(self, drivers: list[Driver], statements: Statements, moment: Callable[[], datetime]) -> None:
        self._idle: asyncio.LifoQueue[Driver] = asyncio.LifoQueue()
        for driver in drivers:
            self._idle.put_nowait(driver)
        self._statements = statements
        self._moment = moment

    async def read(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        """Run a unit on one snapshot, and leave no trace."""
        driver = await self._idle.get()
        connection = Connection(driver, self._statements, BEGIN_READING)
        try:
            transaction = Transaction(connection, self._moment(), Known(), writable=False)
            return await work(SqlUnitOfWork(transaction))
        finally:
            connection.drop()
            self._idle.put_nowait(driver)


@asynccontextmanager
async def open_readers(url: str, statements: Statements, moment: Callable[[], datetime]) -> AsyncIterator[Readers]:
    """Open the connections, and close them at the end of the context."""
    engine = reading_engine(url)
    try:
        async with AsyncExitStack() as stack:
            drivers: list[Driver] = []
            for _ in range(READERS):
                connection = await connect(engine)
                stack.push_async_callback(connection.close)
                drivers.append(await driver_of(connection))
            yield Readers(drivers, statements, moment)
    finally:
        await engine.dispose()
