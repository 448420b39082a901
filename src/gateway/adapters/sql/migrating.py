"""Migrations: the schema is brought to where this version wants it, step by step, each whole or not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.adapters.sql.engines import migrating_engine
from gateway.adapters.sql.processes import alive_over, hold_still
from gateway.adapters.sql.schema import (
    Fit,
    Schema,
    all_steps,
    has_floor,
    is_whole,
    oldest_of,
    order,
    schema_over,
    set_floor_over,
    too_new,
)
from gateway.domain.errors import StoreUnavailable
from gateway.domain.processes import Process
from gateway.ports.processes import SchemaUnfit

_ONE_AT_A_TIME: Final = text("SELECT pg_try_advisory_lock(7242601)")
"""Held until the connection ends. It is not waited for: an index that is made concurrently waits for all who wait."""
_PATIENCE: Final = text("SET lock_timeout = '150ms'")
"""Whoever waits for a table makes all others wait behind him: rather give up before they do, and try again."""
_LOCK_NOT_AVAILABLE: Final = "55P03"
_TRIES: Final = 100
_PAUSE_SECONDS: Final = 0.3


class _Busy(Exception):
    """Somebody else works on the schema."""


async def migrate(url: str) -> None:
    """Bring the database at `url` up to what this version wants. If it is ahead of that, and lacks nothing that this
    version needs, it is left alone.

    Raises:
        SchemaUnfit: it is too new; or the next step takes away what a process needs that runs. Steps before that one
            are done.
        StoreUnavailable: the database cannot be opened or changed.
    """
    async with _engine(url) as engine:
        for step in await _steps_to_take(engine):
            await _patiently(engine, partial(_take, step=step), whole=is_whole(step))


async def migrate_back(url: str, to: str = "base") -> None:
    """Bring the database at `url` down to an older revision; `base` means no tables at all. All or nothing.

    Raises:
        SchemaUnfit: a process that runs needs what would go.
        StoreUnavailable: the database cannot be opened or changed.
    """
    async with _engine(url) as engine:
        await _patiently(engine, partial(_go_back, to=to))


async def schema_of(url: str) -> Schema:
    """The schema of the database at `url`.

    Raises:
        StoreUnavailable: it cannot be opened.
    """
    async with _engine(url, "opened") as engine, engine.connect() as connection:
        return await connection.run_sync(schema_over)


async def _steps_to_take(engine: AsyncEngine) -> list[Script]:
    async with engine.connect() as connection:
        schema = await connection.run_sync(schema_over)
    if schema.fit is Fit.TOO_NEW:
        raise too_new(schema.oldest)
    return [step for step in all_steps() if step.revision > schema.at]


def _take(connection: Connection, step: Script) -> None:
    """Take one step, unless somebody else did meanwhile."""
    _begin(connection)
    if schema_over(connection).at >= step.revision:
        return
    keeps_floor = has_floor(connection)
    if oldest := oldest_of(step):
        older = [process for process in _who_runs(connection) if process.schema < oldest]
        _refuse(older, f"Step {step.revision} takes away what versions before schema {oldest} need")
        set_floor_over(connection, step.revision)
    command.upgrade(_over(connection), step.revision)
    if not keeps_floor:  # else nothing is done any more while tables are held
        set_floor_over(connection, step.revision)


def _go_back(connection: Connection, to: str) -> None:
    _begin(connection)
    newer = [process for process in _who_runs(connection) if to == "base" or process.schema > to]
    _refuse(newer, f"Going back to {to} takes away what newer versions need")
    command.downgrade(_over(connection), to)
    set_floor_over(connection, to)


def _begin(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        if not connection.execute(_ONE_AT_A_TIME).scalar_one():
            raise _Busy("another process migrates it")
        connection.execute(_PATIENCE)


def _who_runs(connection: Connection) -> list[Process]:
    """Who runs on the database; none comes before the transaction ends. Of a SQLite file, the one who holds its folder
    runs alone, and is us.
    """
    if connection.dialect.name == "sqlite":
        return []
    hold_still(connection)
    return alive_over(connection)


def _refuse(processes: list[Process], why: str) -> None:
    if processes:
        named = ", ".join(map(str, processes))
        advice = "Update or stop them first; one that was killed is forgotten within a minute."
        raise SchemaUnfit(f"{why}, and these run: {named}. {advice}")


def _over(connection: Connection) -> Config:
    config = order()
    config.attributes["connection"] = connection
    return config


async def _patiently(engine: AsyncEngine, work: Callable[[Connection], None], *, whole: bool = True) -> None:
    """Do work, in a transaction unless it is not to be `whole`, and again while the database is busy."""
    for left in reversed(range(_TRIES)):
        try:
            return await _do(engine, work, whole=whole)
        except (_Busy, DBAPIError) as error:
            if not left or not _is_busy(error):
                raise
        await asyncio.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))
    return None


async def _do(engine: AsyncEngine, work: Callable[[Connection], None], *, whole: bool) -> None:
    if whole or engine.dialect.name == "sqlite":
        async with engine.begin() as connection:
            await connection.run_sync(work)
    else:
        async with engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).run_sync(work)


def _is_busy(error: Exception) -> bool:
    return isinstance(error, _Busy) or getattr(getattr(error, "orig", None), "sqlstate", "") == _LOCK_NOT_AVAILABLE


@asynccontextmanager
async def _engine(url: str, done: str = "migrated") -> AsyncIterator[AsyncEngine]:
    engine = migrating_engine(url)
    try:
        yield engine
    except DBAPIError as error:
        raise StoreUnavailable(f"The database cannot be {done}: {error.orig}") from error
    except _Busy as busy:
        raise StoreUnavailable(f"The database cannot be {done}: {busy}.") from busy
    except OSError as error:
        raise StoreUnavailable(f"The database cannot be reached: {error.strerror or 'nobody answers'}.") from error
    finally:
        await engine.dispose()
