"""Carrying: all rows of one database into another one of the same schema, whole or not at all, and compared."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Table, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.adapters.sql.engines import migrating_engine
from gateway.adapters.sql.tables import metadata

OF_THE_PLACE: Final = frozenset({"processes", "question_servers", "questions", "schema_floor", "workers"})
"""Tables that tell of the database itself and of who works on it, belong to no tenant, and are not carried."""
_ROWS_AT_ONCE: Final = 1000


class NotCarried(Exception):
    """Nothing was carried; the message says why."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How many rows of a table there are on both sides, and the sum over all of them."""

    table: str
    rows: int
    checksum: str


async def carry(source_url: str, target_url: str) -> list[Carried]:
    """Copy all rows of one database into another one that has the same tables and nothing in them; then read both and
    compare them, row for row, before the copies are committed. Nobody may work on either.

    Raises:
        NotCarried: the target is not empty; or a copy differs, or one of the databases fails.
    """
    async with AsyncExitStack() as stack:
        try:
            source = await stack.enter_async_context(_reading(source_url))
            target = await stack.enter_async_context(_writing(target_url))
            await _refuse_what_is_there(target)
            return [await _carried(source, target, table) for table in tables()]
        except (SQLAlchemyError, OSError) as error:
            why = str(getattr(error, "orig", error)).partition("\n")[0]  # what follows may show rows
            raise NotCarried(f"A database failed, and nothing was carried: {why}") from error


def tables() -> list[Table]:
    """The tables that are carried, in order."""
    return [table for table in metadata.sorted_tables if table.name not in OF_THE_PLACE]


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[AsyncConnection]:
    engine = migrating_engine(url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def _writing(url: str) -> AsyncIterator[AsyncConnection]:
    engine = migrating_engine(url)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _refuse_what_is_there(target: AsyncConnection) -> None:
    taken = [table.name for table in tables() if (await target.execute(select(table).limit(1))).first() is not None]
    if taken:
        raise NotCarried(f"There are rows in {', '.join(taken)} already: carry into a database with nothing in it.")


async def _carried(source: AsyncConnection, target: AsyncConnection, table: Table) -> Carried:
    async for rows in _rows(source, table):
        await target.execute(insert(table), [dict(row) for row in rows])
    await _count_on(target, table)
    there, here = await _sum(source, table), await _sum(target, table)
    if there != here:
        raise NotCarried(
            f"The copy of {table.name} differs ({there.rows} rows, {here.rows} copied): nothing was carried."
        )
    return here


async def _rows(connection: AsyncConnection, table: Table) -> AsyncIterator[Sequence[Any]]:
    """All rows in the order of their key, some at a time."""
    ordered: Select[Any] = select(table).order_by(*table.primary_key.columns)
    async with connection.stream(ordered) as stream:
        async for some in stream.mappings().partitions(_ROWS_AT_ONCE):
            yield some


async def _sum(connection: AsyncConnection, table: Table) -> Carried:
    counted, summed = 0, hashlib.sha256()
    async for rows in _rows(connection, table):
        counted += len(rows)
        for row in rows:
            summed.update(repr(sorted(row.items())).encode())
    return Carried(table.name, counted, summed.hexdigest())


async def _count_on(target: AsyncConnection, table: Table) -> None:
    """Let numbers that the database gives by itself go on behind those that were copied."""
    numbered = table.autoincrement_column
    if numbered is None or target.dialect.name != "postgresql":
        return
    newest = await target.scalar(select(func.max(numbered)))
    if newest is not None:
        names = {"table": table.name, "column": numbered.name, "newest": newest}
        await target.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :newest)"), names)
