"""What is SQLite's own: how its files are opened, and how its transactions begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_BUSY_SECONDS: Final = 5
_READERS: Final = 4
_CACHED_STATEMENTS: Final = 256


def url_of(file: Path) -> str:
    """The address of a database file."""
    return f"sqlite+aiosqlite:///{file}"


def writing_engine(url: str) -> AsyncEngine:
    """One connection, whose transactions take the write lock as they begin, and whose commits survive a power cut."""
    engine = _engine(url, connections=1)
    _prepare(
        engine,
        begin="BEGIN IMMEDIATE",
        pragmas=("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"),
    )
    return engine


def reading_engine(url: str) -> AsyncEngine:
    """A few connections that cannot write; each transaction sees one snapshot."""
    engine = _engine(url, connections=_READERS)
    _prepare(engine, begin="BEGIN", pragmas=("query_only = ON", "temp_store = MEMORY"))
    return engine


def _engine(url: str, *, connections: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_BUSY_SECONDS,
        pool_reset_on_return=None,
        connect_args={"timeout": _BUSY_SECONDS, "cached_statements": _CACHED_STATEMENTS, "isolation_level": None},
    )


def _prepare(engine: AsyncEngine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute("PRAGMA " + pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
