"""The register of processes in SQL, over a connection of its own: it is noted also while all others are busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import Column, Connection, Table, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from gateway.adapters.sql.columns import TEXT, moment
from gateway.adapters.sql.engines import migrating_engine
from gateway.adapters.sql.schema import floor_over, too_new
from gateway.adapters.sql.tables import metadata
from gateway.domain.errors import StoreUnavailable
from gateway.domain.processes import Process

T = TypeVar("T")

processes: Final = Table(
    "processes",
    metadata,
    Column("process_id", TEXT, primary_key=True),
    Column("role", TEXT, nullable=False),
    Column("version", TEXT, nullable=False),
    Column("schema", TEXT, nullable=False),
    Column("host", TEXT, nullable=False),
    moment("alive_until"),
)
_SHOWN: Final = [column for column in processes.c if column.name != "alive_until"]
_PATIENCE_SECONDS: Final = 10.0
_NOW: Final = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
_HOLD_STILL: Final = text("LOCK TABLE processes IN SHARE ROW EXCLUSIVE MODE")


class SqlProcesses:
    """See `gateway.ports.processes.Processes`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def note(self, process: Process, ttl: timedelta) -> None:
        await self._run(lambda connection: _note(connection, process, ttl))

    async def leave(self, process: Process) -> None:
        await self._run(lambda connection: _leave(connection, process))

    async def running(self) -> list[Process]:
        return await self._run(alive_over)

    async def _run(self, work: Callable[[Connection], T]) -> T:
        engine = migrating_engine(self._url)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), engine.begin() as connection:
                return await connection.run_sync(work)
        except (DBAPIError, OSError) as error:  # a timeout is an OSError
            raise StoreUnavailable from error
        finally:
            await engine.dispose()


def alive_over(connection: Connection) -> list[Process]:
    """Those that run, in order of their names; none if the database keeps no register yet."""
    if not has_register(connection):
        return []
    alive = select(*_SHOWN).where(processes.c.alive_until > _now(connection))
    rows = connection.execute(alive.order_by(processes.c.role, processes.c.host, processes.c.process_id))
    return [Process(**row) for row in rows.mappings()]


def hold_still(connection: Connection) -> None:
    """Let no process come, or say that it still runs, before the end of the transaction."""
    if has_register(connection):
        connection.execute(_HOLD_STILL)


def has_register(connection: Connection) -> bool:
    """Whether the database has been migrated so far that it keeps a register."""
    return connection.dialect.has_table(connection, processes.name)


def _note(connection: Connection, process: Process, ttl: timedelta) -> None:
    """Note a process, and then look who gets along: a step that takes something away waits for the former, or the
    latter knows of it.
    """
    until = _now(connection) + ttl // timedelta(microseconds=1)
    row = {column.name: getattr(process, column.name) for column in _SHOWN}
    fresh = insert(processes).values(**row, alive_until=until)
    connection.execute(
        fresh.on_conflict_do_update(index_elements=["process_id"], set_={"alive_until": fresh.excluded.alive_until})
    )
    oldest = floor_over(connection)
    if oldest > process.schema:
        raise too_new(oldest)


def _leave(connection: Connection, process: Process) -> None:
    gone = (processes.c.process_id == process.process_id) | (processes.c.alive_until <= _now(connection))
    connection.execute(delete(processes).where(gone))


def _now(connection: Connection) -> int:
    """This moment by the database's clock, in microseconds since 1970; SQLite's is this machine's."""
    if connection.dialect.name == "sqlite":
        return time.time_ns() // 1000
    return int(connection.execute(_NOW).scalar_one())
