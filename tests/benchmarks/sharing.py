"""Sharing: SendMessage in a fleet, on a PostgreSQL that syncs and a Redis, through one API process and through two,
beside a bare echo of one process.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from tests.benchmarks.accepting import EVENTS, ROWS, SESSIONS, beside_echoes, check
from tests.benchmarks.figures import Figure
from tests.benchmarks.house import free_port
from tests.stage.fleet import Fleet, running_fleet
from tests.stage.lab import Lab, lab_process
from tests.stage.numbers import Numbers
from tests.stage.postgres import PostgresServer, postgres_server
from tests.stage.redis import RedisServer, redis_server
from tests.stage.shop import Shop

_PROCESSES: Final = (1, 2)
_PAIRING_AT_ONCE: Final = 4


async def measure(folder: Path) -> list[Figure]:
    """Measure as `tests.benchmarks.accepting` does."""
    figures: list[Figure] = []
    async with (
        lab_process(folder / "lab") as lab,
        postgres_server(durable=True) as postgres,
        redis_server(folder / "redis") as redis,
    ):
        for processes in _PROCESSES:
            figures += await _through(processes, folder / str(processes), lab, postgres, redis)
    return figures


async def _through(
    processes: int, folder: Path, lab: Lab, postgres: PostgresServer, redis: RedisServer
) -> list[Figure]:
    environment = {
        "WAGATE_GRPC__LISTEN": f"127.0.0.1:{free_port()}",
        "WAGATE_METRICS__LISTEN": "127.0.0.1:0",
        "WAGATE_LOG__LEVEL": "info",
        "WAGATE_LEASES__TTL": "15s",
        "WAGATE_LEASES__RENEW_EVERY": "3s",
    }
    fleet_of = running_fleet(
        folder, lab, postgres, redis, apis=1, workers=1, processes=processes, environment=environment
    )
    async with fleet_of as fleet:
        api = fleet.apis[0]
        said = json.loads(await api.process.said())
        name = f"SendMessage, {processes} API process{'es' * (processes > 1)}"
        figures, replies = await beside_echoes(name, folder, api.address, await shops_of(fleet, SESSIONS))
        connection = await postgres.connect(fleet.database)
        try:
            rows, events = [await connection.fetchval(question) for question in (ROWS, EVENTS)]
        finally:
            await connection.close()
        await check(replies, rows, events, Numbers(f"http://{said['metrics']}/metrics"))
        return figures


async def shops_of(fleet: Fleet, count: int) -> list[Shop]:
    """So many new sessions of a fleet, linked."""
    few = asyncio.Semaphore(_PAIRING_AT_ONCE)

    async def one() -> Shop:
        async with few:
            return await fleet.shop()

    async with asyncio.TaskGroup() as group:
        pairing = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in pairing]
