"""A fleet of the tests' own: API processes and workers on one database, each a process, and perhaps a Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg

from tests.stage.carried import carry
from tests.stage.children import Child, child
from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from tests.stage.numbers import Numbers
from tests.stage.postgres import PostgresServer
from tests.stage.programs import built, installed
from tests.stage.redis import RedisServer
from tests.stage.shop import Shop, new_shop
from tests.stage.waiting import eventually

TAKEN_OVER_WITHIN: Final = 20.0
"""Seconds within which another worker has a session whose owner was killed: a lease of 4 s, and a busy machine."""
_PACE: Final = {"WAGATE_LEASES__TTL": "4s", "WAGATE_LEASES__RENEW_EVERY": "1s"}


class Worker:
    """A worker that can be started, stopped and killed any number of times."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = folder.name
        self._folder = folder
        self._environment = {
            "WAGATE_DATA__FOLDER": str(folder / "data"),
            "WAGATE_ENGINE__BINARY": str(built("wagate-engine")),
            "WAGATE_METRICS__LISTEN": "127.0.0.1:0",
            "WAGATE_WORKER__LISTEN": "127.0.0.1:0",
            "WAGATE_WORKER__NAME": folder.name,
            "WAGATE_LOG__LEVEL": "debug",
            **environment,
        }
        self._running = AsyncExitStack()
        self.process: Child
        self.worker_id = self.health = ""
        self.numbers: Numbers

    async def start(self) -> None:
        """Start it, and wait until it works."""
        running = AsyncExitStack()
        started = child(installed("wagate"), "worker", log=self._folder / "worker.log", environment=self._environment)
        self.process = await running.enter_async_context(started)
        try:
            ready = json.loads(await self.process.said())
        except BaseException:
            await running.aclose()
            raise
        self.worker_id, self.health = ready["worker"], ready["health"]
        self.numbers = Numbers(f"http://{ready['metrics']}/metrics")
        self._running = running

    async def stop(self) -> int:
        """Stop it as an operator does; its exit status."""
        status = await self.process.stop()
        await self._running.aclose()
        return status

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        await self.process.kill()
        await self._running.aclose()


class Fleet:
    """API processes and workers on one database; `redis` is None where they do without."""

    def __init__(
        self,
        lab: Lab,
        postgres: PostgresServer,
        database: str,
        redis: RedisServer | None,
        environment: Mapping[str, str],
        *,
        apis: int,
        workers: int,
        processes: int = 1,
    ) -> None:
        self.lab = lab
        self.database = database
        self.redis = redis
        self._postgres = postgres
        self.apis: list[Gateway] = []
        self.workers: list[Worker] = []
        self.environment = {
            **lab.environment,
            **_PACE,
            **environment,
            "WAGATE_STORE__URL": database,
            "WAGATE_QUEUE__URL": redis.url if redis else "",
        }
        self._wanted = (apis, workers)
        self._command = ("api", "--processes", str(processes))

    async def shop(self, *, paired: bool = True) -> Shop:
        """A new session, made through the first API process."""
        return await new_shop(self.apis[0], self.lab, paired=paired)

    def through(self, api: int, shop: Shop) -> Shop:
        """The same session, spoken to through another API process."""
        return Shop(self.apis[api], self.lab, shop.session_id, shop.account)

    async def owner(self, shop: Shop) -> Worker:
        """The worker that owns a session, once one does."""
        found: list[Worker] = []

        async def owned() -> bool:
            owner_id = await self._owner_id(shop)
            found[:] = [worker for worker in self.workers if worker.process.runs and worker.worker_id == owner_id]
            return bool(found)

        await eventually(owned, TAKEN_OVER_WITHIN)
        return found[0]

    async def _owner_id(self, shop: Shop) -> str | None:
        connection = await self.connect()
        try:
            owner_id: str | None = await connection.fetchval(_OWNER, shop.session_id)
            return owner_id
        finally:
            await connection.close()

    async def connect(self) -> asyncpg.Connection:
        """A connection to the database, beside those of all processes."""
        return await self._postgres.connect(self.database)

    async def start(self, folder: Path) -> None:
        """Start all, at once."""
        apis, workers = self._wanted
        for number in range(apis):
            self.apis.append(Gateway(_made(folder / f"api-{number}"), self.environment, command=self._command))
        for _ in range(workers):
            self.hire(folder)
        async with asyncio.TaskGroup() as group:
            for process in self._processes():
                group.create_task(process.start())

    def hire(self, folder: Path) -> Worker:
        """One worker more, which does not run yet."""
        worker = Worker(_made(folder / f"worker-{len(self.workers)}"), self.environment)
        self.workers.append(worker)
        return worker

    def _processes(self) -> list[Gateway | Worker]:
        return [*self.workers, *self.apis]

    async def stop(self) -> None:
        """Stop all that still runs; all must end well."""
        running = [process for process in self._processes() if process.process.runs]
        statuses = await asyncio.gather(*(process.stop() for process in running))
        for process, status in zip(running, statuses, strict=True):
            assert status == 0, f"it did not end well:\n{process.process.last_words()}"


_OWNER: Final = """
SELECT owner_id FROM leases JOIN sessions ON sessions.uid = leases.session_uid
WHERE session_id = $1 AND expire_time > extract(epoch FROM clock_timestamp()) * 1000000
"""


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@asynccontextmanager
async def running_fleet(
    folder: Path,
    lab: Lab,
    postgres: PostgresServer,
    redis: RedisServer | None,
    *,
    apis: int = 3,
    workers: int = 2,
    processes: int = 1,
    environment: Mapping[str, str] | None = None,
    embedded: Path | None = None,
) -> AsyncIterator[Fleet]:
    """A fleet on a database of its own, while the context lasts; each API is so many `processes` at one address. It has
    the sessions of an `embedded` installation's data folder, which is used up, or none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with postgres.database() as database:
        if embedded is not None:
            await carry(embedded, database, folder / "carrying.log")
        sizes = {"apis": apis, "workers": workers, "processes": processes}
        fleet = Fleet(lab, postgres, database, redis, environment or {}, **sizes)
        await fleet.start(folder)
        yield fleet
        await fleet.stop()
