"""What is SQLite's own: how its files are opened, and how its driver is spoken to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import aiosqlite
from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.adapters.sql.driver import Driver, RowsUnfit, Step
from gateway.adapters.sql.idioms import Idiom
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.sqlite_idiom import SqliteIdiom
from gateway.domain.errors import StoreFull, StoreUnavailable

T = TypeVar("T")

_BUSY_SECONDS: Final = 5
_CACHED_STATEMENTS: Final = 256
_DURABLE: Final = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY")
_ROOMY: Final = ("cache_size = -65536", "wal_autocheckpoint = 4000")
"""64 MiB of pages in memory, and at most 16 MiB in the log of writes until they are moved: pages change many times."""
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_WRITING: Final = (*_DURABLE, *_ROOMY)
_READ_ONLY: Final = ("query_only = ON", "temp_store = MEMORY")


def url_of(file: Path) -> str:
    """The address of a database file."""
    return f"sqlite+aiosqlite:///{file}"


class SqliteDatabase:
    """See `gateway.adapters.sql.idioms.Database`. One writer, this process's, writes to a file."""

    readers = 4
    is_shared = False

    def __init__(self, url: str) -> None:
        self.idiom: Idiom = SqliteIdiom()
        self._file = make_url(url).database or ""

    async def writing(self) -> Driver:
        return await _connect(self._file, _WRITING)

    async def reading(self) -> Driver:
        return await _connect(self._file, _READ_ONLY)

    async def moment(self, driver: Driver) -> datetime:  # noqa: ARG002  # it goes by this machine's
        return datetime.now(UTC)

    async def fate_of(self, driver: Driver, xact: str) -> bool | None:  # noqa: ARG002  # no connection breaks
        raise StoreUnavailable


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

    async def end(self) -> None:
        """See `gateway.adapters.sql.driver.Driver.end`."""
        with suppress(sqlite3.Error, ValueError):
            await self.close()

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


async def _connect(file: str, pragmas: Sequence[str]) -> BatchingConnection:
    connection = BatchingConnection(partial(_open, file, pragmas))
    try:
        await connection
        return connection
    except sqlite3.Error as error:
        await connection.ended()
        raise _meaning_of(error) from error
    except BaseException:
        await connection.ended()
        raise


def _open(file: str, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=_CACHED_STATEMENTS
    )
    for pragma in pragmas:
        connection.execute("PRAGMA " + pragma)
    return connection


def writing_engine(url: str) -> AsyncEngine:
    """One connection, whose commits survive a power cut: for whoever works on the schema."""

    async def connection_of(*_arguments: Any, **_options: Any) -> aiosqlite.Connection:
        connection = BatchingConnection(partial(_open, make_url(url).database or "", _WRITING))
        try:
            return await connection
        except BaseException:
            await connection.ended()
            raise

    engine = create_async_engine(
        url, async_creator=connection_of, pool_size=1, max_overflow=0, pool_reset_on_return=None
    )

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(SqliteIdiom.begin_writing.sql)

    return engine
