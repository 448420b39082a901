"""SQLite: whether its file is ours, sound in its settings, migrated, and has room."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import URL, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.adapters.sql.schema import schema_over
from gateway.adapters.sql.sqlite import url_of, writing_engine
from gateway.doctor.disk import room
from gateway.doctor.findings import Finding, fine, problem
from gateway.doctor.schema import schema

OLDEST: Final = (3, 38, 0)
"""From here on JSON is built in, and statements return the rows that they change."""
_SYNCED: Final = 2
"""What SQLite answers where `synchronous` is FULL; EXTRA is 3."""


async def sqlite(url: URL) -> list[Finding]:
    """Look at a database file, through a connection as the gateway makes its own."""
    file = Path(url.database or "")
    found = [release(sqlite3.sqlite_version_info), *_file(file)]
    if not file.is_file() or any(finding.advice for finding in found):
        return found
    try:
        found += await _inside(url_of(file.resolve()))
    except (SQLAlchemyError, sqlite3.Error) as error:
        said = f"{file} cannot be read as a database: {getattr(error, 'orig', error)}."
        found.append(problem("database.reachable", said, "Restore it from a backup; keep the damaged one."))
    return [*found, room("database.room", f"beside {file}", shutil.disk_usage(file.parent).free)]


def release(version: tuple[int, ...]) -> Finding:
    """Judge the version of the library."""
    shown = ".".join(map(str, version))
    if version >= OLDEST:
        return fine("database.version", f"SQLite {shown}.")
    wanted = ".".join(map(str, OLDEST))
    return problem("database.version", f"SQLite {shown} is too old.", f"Use a Python with SQLite {wanted} or later.")


def durability(journal: str, synchronous: int) -> Finding:
    """Judge what is promised of a commit."""
    said = f"journal_mode is {journal}, synchronous is {synchronous}."
    if journal == "wal" and synchronous >= _SYNCED:
        return fine("database.synchronous", f"A commit survives a power cut: {said}")
    advice = "Move the data folder to a local disk that can lock and map files."
    return problem("database.synchronous", f"A commit may not survive a power cut: {said}", advice)


def _file(file: Path) -> Iterator[Finding]:
    if not file.name or file.name == ":memory:":
        said = "The database is in memory, and ends with the process."
        yield problem("database.reachable", said, "Leave store.url empty for a file in the data folder.")
    elif not file.parent.is_dir() or not file.exists():
        yield fine("database.reachable", f"{file} is not there yet, and is made at the first start.")
    elif file.stat().st_uid != os.geteuid() or not os.access(file, os.R_OK | os.W_OK):
        said = f"{file} is not ours, or cannot be written."
        yield problem("database.reachable", said, "Run gateway and doctor as the user to whom the file belongs.")


async def _inside(url: str) -> list[Finding]:
    engine = writing_engine(url)
    try:
        async with engine.connect() as connection:
            journal, synchronous = await _pragma(connection, "journal_mode"), await _pragma(connection, "synchronous")
            known = await connection.run_sync(schema_over)
    finally:
        await engine.dispose()
    opened = fine("database.reachable", "It can be opened.")
    return [opened, durability(journal, int(synchronous)), schema(known, migrates_itself=True)]


async def _pragma(connection: AsyncConnection, name: str) -> str:
    answer = await connection.execute(text(f"PRAGMA {name}"))
    return str(answer.scalar_one())
