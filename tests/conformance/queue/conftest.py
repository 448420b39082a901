"""Every queue that the gateway has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.queue.houses import HOUSES, House
from tests.conformance.store.stage import forget
from tests.stage.postgres import PostgresServer
from tests.stage.redis import RedisServer, redis_server


@pytest.fixture(scope="session")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisServer]:
    """A Redis for all tests that leave it as it was."""
    async with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def folder(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Path]:  # noqa: ARG001  # stores use it
    """Where a store may be opened."""
    yield tmp_path
    await forget(tmp_path)


@pytest.fixture(params=sorted(HOUSES))
async def house(request: pytest.FixtureRequest, folder: Path, redis: RedisServer) -> AsyncIterator[House]:
    """Two processes that nobody uses yet."""
    async with HOUSES[request.param](folder, redis) as opened:
        yield opened
