"""Databases on a PostgreSQL of these tests' own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.adapters.sql.schema import wanted
from gateway.domain.processes import Process
from tests.stage.lab import Lab, lab_process
from tests.stage.postgres import PostgresServer, postgres_server
from tests.upgrades.later import become

__all__ = ["become"]


@pytest.fixture(scope="package")
async def postgres() -> AsyncIterator[PostgresServer]:
    async with postgres_server() as server:
        yield server


@pytest.fixture(scope="package")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab_process(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A migrated database."""
    async with postgres.database() as url:
        yield url


@pytest.fixture
def this() -> Process:
    """A process of this version."""
    return Process("p_1", "worker", "0.1.0", wanted(), "box")
