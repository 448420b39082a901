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

from gateway.adapters.sql.columns import is_set
from gateway.adapters.sql.engines import migrating_engine
from gateway.adapters.sql.tables import leases, metadata, sessions

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


@dataclass(frozen=True, slots=True)
class Linked:
    """A session that is linked, and the fence of its last owner; 0 if it never had one."""

    tenant_id: str
    session_id: str
    session_uid: str
    fence: int


async def linked(url: str, provider: str) -> list[Linked]:
    """The sessions of a provider that are linked and not deleted."""
    of_whom = sessions.join(leases, leases.c.session_uid == sessions.c.uid, isouter=True)
    wanted = (
        select(
            sessions.c.tenant_id,
            sessions.c.session_id,
            sessions.c.uid.label("session_uid"),
            func.coalesce(leases.c.fence, 0).label("fence"),
        )
        .select_from(of_whom)
        .where(sessions.c.provider == provider, sessions.c.deleted_time.is_(None), is_set(sessions.c.device_jid))
        .order_by(sessions.c.tenant_id, sessions.c.session_id)
    )
    async with _reading(url) as connection:
        return [Linked(**row) for row in (await connection.execute(wanted)).mappings()]


async def carry(source_url: str, target_url: str) -> list[Carried]:
    """Copy all rows of one database into another one that has the same tables and nothing in them; then read both and
    compare them, row for row, before the copies are committed. Nobody may work on either. If all were carried before,
    they are only compared.

    Raises:
        NotCarried: the target holds something else; or a copy differs, or one of the databases fails.
    """
    async with AsyncExitStack() as stack:
        try:
            source = await stack.enter_async_context(_reading(source_url))
            target = await stack.enter_async_context(_writing(target_url))
            taken = [table for table in tables() if await _has_rows(target, table)]
            if not taken:
                for table in tables():
                    await _copy(source, target, table)
            return [await _compared(source, target, table, was_there=bool(taken)) for table in tables()]
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


async def _has_rows(connection: AsyncConnection, table: Table) -> bool:
    return (await connection.execute(select(table).limit(1))).first() is not None


async def _copy(source: AsyncConnection, target: AsyncConnection, table: Table) -> None:
    async for rows in _rows(source, table):
        await target.execute(insert(table), [dict(row) for row in rows])
    await _count_on(target, table)


async def _compared(source: AsyncConnection, target: AsyncConnection, table: Table, *, was_there: bool) -> Carried:
    there, here = await _sum(source, table), await _sum(target, table)
    if there == here:
        return here
    if was_there:
        raise NotCarried(f"There are other rows in {table.name} already: carry into a database with nothing in it.")
    raise NotCarried(f"The copy of {table.name} differs ({there.rows} rows, {here.rows} copied): nothing was carried.")


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
