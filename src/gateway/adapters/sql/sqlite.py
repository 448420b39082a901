"""What is SQLite's own: how its files are opened, and how its driver is spoken to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import aiosqlite
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.adapters.sql.driver import Driver, RowsUnfit, Step
from gateway.adapters.sql.shelf import Row
from gateway.domain.errors import StoreFull, StoreUnavailable

T = TypeVar("T")

READERS: Final = 4
BEGIN_WRITING: Final = Step("BEGIN IMMEDIATE")
"""Takes the write lock at once: what is read in the transaction stays true until its end."""
BEGIN_READING: Final = Step("BEGIN")
"""One snapshot for all that is read in the transaction."""

_BUSY_SECONDS: Final = 5
_CACHED_STATEMENTS: Final = 256
_DURABLE: Final = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY")
_ROOMY: Final = ("cache_size = -65536", "wal_autocheckpoint = 4000")
"""64 MiB of pages in memory, and at most 16 MiB in the log of writes until they are moved: pages change many times."""
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_READ_ONLY: Final = ("query_only = ON", "temp_store = MEMORY")


def url_of(file: Path) -> str:
    """The address of a database file."""
    return f"sqlite+aiosqlite:///{file}"


def writing_engine(url: str) -> AsyncEngine:
    """One connection, whose commits survive a power cut."""
    return _engine(url, 1, (*_DURABLE, *_ROOMY), BEGIN_WRITING.sql)


def reading_engine(url: str) -> AsyncEngine:
    """A few connections that cannot write."""
    return _engine(url, READERS, _READ_ONLY, BEGIN_READING.sql)


async def connect(engine: AsyncEngine) -> AsyncConnection:
    """A connection of an engine.

    Raises:
        StoreUnavailable: there is none to be had.
    """
    try:
        return await engine.connect()
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise _meaning_of(error) from error


async def driver_of(connection: AsyncConnection) -> Driver:
    """The driver below a connection."""
    raw = await connection.get_raw_connection()
    return cast(Driver, raw.driver_connection)


class BatchingConnection(aiosqlite.Connection):
    """A connection whose thread runs a whole batch of statements for one trip."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, iter_chunk_size=64)
        self._thread.daemon = True

    async def ended(self) -> None:
        """Wait for the end of the thread of a connection that was not made."""
        await asyncio.to_thread(self._thread.join)

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        """See `gateway.adapters.sql.driver.Driver.run`."""
        return await self._trip(_run, steps)

    async def rollback(self) -> None:
        """See `gateway.adapters.sql.driver.Driver.rollback`."""
        await self._trip(_rollback)

    def drop(self) -> None:
        """See `gateway.adapters.sql.driver.Driver.drop`."""
        self._tx.put_nowait((None, partial(_rollback, self._conn)))

    async def _trip(self, work: Callable[..., T], *arguments: Any) -> T:
        execute: Callable[..., Awaitable[T]] = self._execute
        try:
            return await execute(work, self._conn, *arguments)
        except sqlite3.IntegrityError as error:
            raise RowsUnfit(str(error)) from error
        except sqlite3.Error as error:
            raise _meaning_of(error) from error


def _meaning_of(error: Exception) -> StoreUnavailable:
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_OK)
    return StoreFull() if code in _NO_ROOM else StoreUnavailable()


def _rollback(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _run(connection: sqlite3.Connection, steps: Sequence[Step]) -> list[list[Row]]:
    cursor = connection.cursor()
    answers: list[list[Row]] = []
    for step in steps:
        if step.rows is not None:
            cursor.executemany(step.sql, step.rows)
            answers.append([])
            continue
        found = cursor.execute(step.sql, step.parameters).fetchall()
        names = [column[0] for column in cursor.description or ()]
        answers.append([dict(zip(names, row, strict=True)) for row in found])
    return answers


def _engine(url: str, connections: int, pragmas: Sequence[str], begin: str) -> AsyncEngine:
    file = make_url(url).database or ""

    def open_file() -> sqlite3.Connection:
        connection = sqlite3.connect(
            file, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=_CACHED_STATEMENTS
        )
        for pragma in pragmas:
            connection.execute("PRAGMA " + pragma)
        return connection

    async def connection_of(*_arguments: Any, **_options: Any) -> aiosqlite.Connection:
        connection = BatchingConnection(open_file)
        try:
            return await connection
        except BaseException:
            await connection.ended()
            raise

    engine = create_async_engine(
        url, async_creator=connection_of, pool_size=connections, max_overflow=0, pool_reset_on_return=None
    )

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
