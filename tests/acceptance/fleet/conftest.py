"""Fleets: API processes, workers, a PostgreSQL, perhaps a Redis, and the lab of all tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.stage.fleet import Fleet, running_fleet
from tests.stage.lab import Lab
from tests.stage.postgres import PostgresServer
from tests.stage.redis import redis_server


@pytest.fixture
async def fleet(whole_fleet: Fleet) -> Fleet:
    """A fleet, once with Redis and once without, whose workers all work, whatever became of them before."""
    for worker in whole_fleet.workers:
        if not worker.process.runs:
            await worker.start()
    return whole_fleet


@pytest.fixture(scope="package", params=["redis", "database"])
async def whole_fleet(
    request: pytest.FixtureRequest, lab: Lab, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """A fleet whose processes ring and ask each other over Redis, and one whose do over the database alone."""
    folder = tmp_path_factory.mktemp(f"fleet-{request.param}")
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_server(folder / "redis")) if request.param == "redis" else None
        yield await stack.enter_async_context(running_fleet(folder, lab, postgres, redis))
