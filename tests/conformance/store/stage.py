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
    clock = HandClock()
    rings: list[tuple[str, ...]] = []
    groups: list[int] = []
    async with open_store(
        url, ring=lambda *bells: rings.append(bells), committed=groups.append, now=lambda: clock.now
    ) as store:
        yield Stage(store, SqlLeases(store), store.signer, clock, rings, groups)


STAGES = {"sqlite": sqlite_stage}
"""Every implementation of the store, by name."""
