"""PostgreSQL: whether it can be reached, keeps what it commits, takes writes, allows what is done, and is migrated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from gateway.adapters.sql.schema import schema_over
from gateway.doctor.clock import difference
from gateway.doctor.findings import Finding, Level, fine, problem, warning
from gateway.doctor.rights import rights, rights_over
from gateway.doctor.schema import schema

OLDEST: Final = 140000
"""PostgreSQL 14, as `server_version_num` says it."""
FEW: Final = 50
"""Connections: fewer than a few processes and somebody who looks need."""
_PATIENCE: Final = 10.0
_ASKED: Final = (
    "fsync",
    "full_page_writes",
    "max_connections",
    "server_encoding",
    "server_version",
    "server_version_num",
    "synchronous_commit",
    "transaction_read_only",
)
_NOT_TOLD: Final = "The server's log tells more."


async def postgresql(url: URL) -> list[Finding]:
    """Look at a server and the database in it."""
    engine = create_async_engine(url, connect_args={"timeout": _PATIENCE})
    try:
        async with asyncio.timeout(_PATIENCE * 2), engine.connect() as connection:
            return await _inside(connection)
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [unreachable(url, error)]
    finally:
        await engine.dispose()


def unreachable(url: URL, error: Exception) -> Finding:
    """Tell of a server that nobody can speak to. Says nothing of the URL but where it leads."""
    where = f"{url.host or url.query.get('host') or 'this machine'}"
    cause = getattr(error, "orig", None) or error
    cause = getattr(cause, "__cause__", None) or cause
    said = f"PostgreSQL at {where} cannot be reached: {_why(cause)}."
    return problem("database.reachable", said, f"See that it runs, and that store.url is right. {_NOT_TOLD}")


def server(settings: Mapping[str, str]) -> list[Finding]:
    """Judge a server's own settings, by their names in pg_settings."""
    return [_release(settings), _durability(settings), _writable(settings), _encoding(settings), _room(settings)]


def _why(cause: BaseException) -> str:
    if isinstance(cause, asyncpg.PostgresError):
        return str(cause.as_dict().get("message", type(cause).__name__))
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return "it does not answer in time" if isinstance(cause, TimeoutError) else type(cause).__name__


def _release(settings: Mapping[str, str]) -> Finding:
    shown = f"PostgreSQL {settings['server_version']}"
    if int(settings["server_version_num"]) >= OLDEST:
        return fine("database.version", f"{shown}.")
    return problem("database.version", f"{shown} is too old.", f"Use PostgreSQL {OLDEST // 10000} or later.")


def _durability(settings: Mapping[str, str]) -> Finding:
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if settings[name] == "off"]
    if not off:
        return fine("database.synchronous", "A commit survives a power cut.")
    said = f"A commit may not survive a power cut: {' and '.join(off)} {'is' if len(off) == 1 else 'are'} off."
    return problem("database.synchronous", said, "Turn on what is off: OK is said to callers after the commit.")


def _writable(settings: Mapping[str, str]) -> Finding:
    if settings["transaction_read_only"] == "off":
        return fine("database.writable", "It takes writes.")
    said = "It takes no writes: it is a standby, or read-only by its settings."
    return problem("database.writable", said, "Let store.url lead to the primary.")


def _encoding(settings: Mapping[str, str]) -> Finding:
    encoding = settings["server_encoding"]
    if encoding == "UTF8":
        return fine("database.encoding", "It stores all of Unicode.")
    said = f"It stores texts as {encoding}, which not every text can be written in."
    return problem("database.encoding", said, "Make a database with ENCODING 'UTF8' and carry everything there.")


def _room(settings: Mapping[str, str]) -> Finding:
    said = f"It takes {settings['max_connections']} connections in all."
    if int(settings["max_connections"]) >= FEW:
        return fine("database.connections", said)
    return warning("database.connections", said, "Raise max_connections: every process and engine keeps several.")


async def _inside(connection: AsyncConnection) -> list[Finding]:
    rows = await connection.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"), {"names": list(_ASKED)}
    )
    allowed = rights(await rights_over(connection))
    found = [
        fine("database.reachable", "It can be reached."),
        *server({row.name: row.setting for row in rows}),
        difference(await _ahead(connection)),
        *allowed,
    ]
    if any(finding.level is Level.PROBLEM for finding in allowed):
        return found  # who may not look at the tables is told so already
    return [*found, schema(await connection.run_sync(schema_over), migrates_itself=False)]


async def _ahead(connection: AsyncConnection) -> timedelta:
    """By how much the server's clock is ahead of ours, if the answer took as long as the question."""
    asked = datetime.now(UTC)
    theirs: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return theirs - (asked + (datetime.now(UTC) - asked) / 2)
