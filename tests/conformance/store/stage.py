"""A store on its own, whose clock and bells a test holds."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.sql.leases import SqlLeases
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import open_store
from gateway.domain.cursors import Signer
from gateway.ports.leases import Leases
from gateway.ports.unit_of_work import Store
from tests.stage.postgres import running_postgres

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    now: datetime = NOON

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Stage:
    """What a test of stores meets."""

    store: Store
    leases: Leases
    signer: Signer
    clock: HandClock
    rings: list[tuple[str, ...]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)


_NOTE = "postgres.url"
_EMPTY: list[bytes] = []


async def _migrated() -> bytes:
    """An empty database, migrated once for all tests."""
    if not _EMPTY:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "store.db"
            await migrate(url_of(file))
            _EMPTY.append(file.read_bytes())
    return _EMPTY[0]


@asynccontextmanager
async def sqlite_stage(folder: Path) -> AsyncIterator[Stage]:
    """A store on SQLite in a folder: a new one, or what was left there."""
    file = folder / "store.db"
    url = url_of(file)
    if not file.exists():
        file.write_bytes(await _migrated())
    async with opened_at(url) as stage:
        yield stage


@asynccontextmanager
async def postgres_stage(folder: Path) -> AsyncIterator[Stage]:
    """A store on PostgreSQL, in a database that is noted in a folder: a new one, or the one that is noted there."""
    note = folder / _NOTE
    if not note.exists():
        await make(folder)
    async with opened_at(note.read_text()) as stage:
        yield stage


async def make(folder: Path) -> None:
    """Make and note what stages of a folder need elsewhere: processes of their own cannot."""
    (folder / _NOTE).write_text(await running_postgres().lend())


async def forget(folder: Path) -> None:
    """Give back what stages of a folder have elsewhere."""
    if (folder / _NOTE).exists():
        await running_postgres().take_back((folder / _NOTE).read_text())


@asynccontextmanager
async def opened_at(url: str) -> AsyncIterator[Stage]:
    """The store of a migrated database."""
    clock = HandClock()
    rings: list[tuple[str, ...]] = []
    groups: list[int] = []
    async with open_store(
        url, ring=lambda *bells: rings.append(bells), committed=groups.append, now=lambda: clock.now
    ) as store:
        yield Stage(store, SqlLeases(store), store.signer, clock, rings, groups)


STAGES = {"postgresql": postgres_stage, "sqlite": sqlite_stage}
"""Every implementation of the store, by name. Those who open one need the fixture `postgres`."""
