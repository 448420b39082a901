"""A house of one's own for each test: everything real but WhatsApp."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.domain.leases import Lease
from tests.unit.services.house import House, opened

# A machine under load is slow, and that says nothing about the code.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")


@pytest.fixture(scope="session")
async def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    await migrate(url_of(path))
    return path


@pytest.fixture
async def house(migrated_database: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A house with an empty store."""
    database = tmp_path / "store.db"
    shutil.copy(migrated_database, database)
    async with opened(database) as it:
        yield it


@pytest.fixture
async def lease(house: House) -> Lease:
    """The lease of the session `sales`, which is linked and connected."""
    return await house.linked()
