"""The store on SQL, as bootstrap opens it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import select

from gateway.adapters.sql.clock import Clock
from gateway.adapters.sql.committing import Committer
from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.engines import database_at
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.installation import open_installation
from gateway.adapters.sql.log_parts import LogParts
from gateway.adapters.sql.postgres import PostgresOptions
from gateway.adapters.sql.readers import Readers
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.tables import events
from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.adapters.sql.writer import Writer
from gateway.domain.clocks import from_micros
from gateway.domain.cursors import Signer
from gateway.domain.errors import StoreUnavailable
from gateway.ports.unit_of_work import NOTHING, Prefetch, StoreHealth

T = TypeVar("T")

_TROUBLE_SECONDS: Final = 5.0
"""Longer than from one renewal of leases to the next, so that health says the same for as long as writes fail."""


_USUAL: Final = PostgresOptions()
_LATEST: Final = select(events.c.record_time).where(events.c.position > 0).order_by(events.c.position.desc()).limit(1)


def _no_bells(*_bells: str) -> None:
    """Nobody listens."""


def _no_count(_size: int) -> None:
    """Nobody counts."""


class SqlStore:
    """See `gateway.ports.unit_of_work.Store`. `signer` makes and reads the cursors of this store's log. What `ahead`
    writes waits behind nobody's units; it is the writer itself where one alone may write.
    """

    def __init__(self, writer: Writer, ahead: Writer, readers: Readers, signer: Signer, parts: LogParts | None) -> None:
        self.signer = signer
        self._parts = parts
        self._writer = writer
        self._ahead = ahead
        self._readers = readers
        self._trouble = ""
        self._trouble_until = 0.0

    async def write(self, work: Callable[[SqlUnitOfWork], Awaitable[T]], prefetch: Prefetch = NOTHING) -> T:
        return await self._write(self._writer, work, prefetch)

    async def write_ahead(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        """Run a unit that must not wait until all others had their turn, as leases would run out meanwhile."""
        return await self._write(self._ahead, work, NOTHING)

    async def _write(self, writer: Writer, work: Callable[[SqlUnitOfWork], Awaitable[T]], prefetch: Prefetch) -> T:
        try:
            return await writer.write(work, prefetch)
        except StoreUnavailable as trouble:
            self._trouble = trouble.message
            self._trouble_until = asyncio.get_running_loop().time() + _TROUBLE_SECONDS
            raise

    async def read(self, work: Callable[[SqlUnitOfWork], Awaitable[T]]) -> T:
        return await self._readers.read(work)

    async def tidy(self) -> None:
        if self._parts is not None:
            await self._parts.tidy()

    def health(self) -> StoreHealth:
        if asyncio.get_running_loop().time() < self._trouble_until:
            return StoreHealth(serving=False, message=self._trouble)
        return StoreHealth(serving=True)


@asynccontextmanager
async def open_store(
    url: str,
    *,
    ring: Callable[..., None] = _no_bells,
    committed: Callable[[int], None] = _no_count,
    now: Callable[[], datetime] | None = None,
    options: PostgresOptions = _USUAL,
) -> AsyncIterator[SqlStore]:
    """Open the store of a migrated database. After each commit, `ring` is told the bells, and `committed` the size of
    the group. When the context ends, all that waits is written, and nothing more is taken.

    Raises:
        StoreUnavailable: the database cannot be opened.
    """
    database = database_at(url, options)
    statements = Statements(database.idiom)
    clock = Clock(now, database)
    signer = await _first_look(database, statements, clock)
    readers = Readers(database, statements, clock.moment)
    writer = Writer(Committer(database, statements, clock, ring=ring, committed=committed))
    ahead, parts = writer, None
    if database.is_shared:
        ahead = Writer(Committer(database, statements, clock, ring=ring, committed=_no_count))
        parts = LogParts(database, clock.moment)
    writing = [asyncio.create_task(one.run(), name="store writer") for one in {writer, ahead}]
    try:
        yield SqlStore(writer, ahead, readers, signer, parts)
    finally:
        writer.close()
        ahead.close()
        await asyncio.gather(*writing)
        await readers.close()
        if parts is not None:
            await parts.close()


async def _first_look(database: Database, statements: Statements, clock: Clock) -> Signer:
    driver = await database.writing()
    try:
        await clock.look(database, driver)
        connection = Connection(driver, statements, statements.idiom.begin_writing)
        signer = await open_installation(connection)
        latest = await connection.rows(_LATEST, {})
        await connection.commit([])
    finally:
        await driver.end()
    clock.begin_behind(from_micros(latest[0]["record_time"] if latest else 0))
    return signer
