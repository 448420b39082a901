"""Moving: many sessions over two workers on a PostgreSQL that syncs and a Redis. How long a start takes, what an idle
session costs, and how soon sessions are connected again whose worker is killed, comes back, or is drained.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.footprint import Footprint, footprint, per_session
from tests.stage.fleet import Fleet, Worker, running_fleet
from tests.stage.lab import lab_process
from tests.stage.moving import Sighting, doubled, owned_by, returns, shown, sighted, sightings
from tests.stage.postgres import PostgresServer, postgres_server
from tests.stage.redis import redis_server
from tests.stage.waiting import eventually
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import system_service_pb2, worker_pb2

_REST_SECONDS: Final = 30.0
_WITHIN: Final = 300.0
_IN_EARNEST: Final = {
    "WAGATE_LOG__LEVEL": "info",
    "WAGATE_LEASES__TTL": "15s",
    "WAGATE_LEASES__RENEW_EVERY": "3s",
}


async def measure(folder: Path, kept: Path, count: int) -> list[Figure]:
    """Measure with the sessions of a kept world. A run fails if a session was in two places, or is not connected in the
    end.
    """
    async with postgres_server(durable=True) as postgres:
        async with _fleet(folder / "empty", postgres) as fleet:
            await asyncio.gather(*(worker.start() for worker in fleet.workers))
            empty = await _footprint(fleet, postgres)
        shutil.copytree(kept / "contestant" / "data", folder / "embedded")
        async with (
            _fleet(folder / "full", postgres, kept / "world", folder / "embedded") as fleet,
            fleet.lab.oracle() as entries,
        ):
            figures = await _restored(fleet, count)
            figures += per_session(empty, await _footprint(fleet, postgres), count)
            figures += await _taken_over(fleet, fleet.workers[0], count)
            figures += await _rebalanced(fleet, fleet.workers[0], count)
            figures += await _drained(fleet, fleet.workers[1], count)
            assert not doubled(entries.seen), f"these devices had two lines at once: {doubled(entries.seen)}"
            alive = await fleet.lab.stub.GetStats(lab_service_pb2.GetStatsRequest())
            assert alive.connections == count, f"{alive.connections} lines are open"
    return figures


@asynccontextmanager
async def _fleet(
    folder: Path, postgres: PostgresServer, world: Path | None = None, embedded: Path | None = None
) -> AsyncIterator[Fleet]:
    """An API process at work, and two workers that are not yet."""
    async with lab_process(folder / "lab", world=world) as lab, redis_server(folder / "redis") as redis:
        running = running_fleet(
            folder / "fleet", lab, postgres, redis, apis=1, workers=0, environment=_IN_EARNEST, embedded=embedded
        )
        async with running as fleet:
            for _ in range(2):
                fleet.hire(folder / "fleet")
            yield fleet


async def _footprint(fleet: Fleet, postgres: PostgresServer) -> Footprint:
    await asyncio.sleep(_REST_SECONDS)
    return await footprint(fleet, postgres)


async def _restored(fleet: Fleet, count: int) -> list[Figure]:
    """Start both workers."""
    api, names = fleet.apis[0], await _all_sessions(fleet)
    assert len(names) == count
    async with api.events(kinds=["session.state_changed"]) as events, sightings(api) as seen:
        begun = time.monotonic()
        await asyncio.gather(*(worker.start() for worker in fleet.workers))
        seconds = await returns(events, names, begun, within=_WITHIN)
        await shown(seen, lambda one: one.is_even, within=_WITHIN)
    await _all_connected(fleet, count)
    return [*_times(f"{count} sessions of two workers connected after a start", seconds), *_progress("restore", seen)]


async def _taken_over(fleet: Fleet, victim: Worker, count: int) -> list[Figure]:
    """Kill a worker."""
    api, names = fleet.apis[0], await owned_by(fleet, victim.worker_id)
    async with api.events(kinds=["session.state_changed"]) as events, sightings(api) as seen:
        begun = time.monotonic()
        await victim.kill()
        seconds = await returns(events, names, begun, within=_WITHIN)
    await _all_connected(fleet, count)
    return [*_times(f"{len(names)} sessions of a killed worker connected again", seconds), *_progress("takeover", seen)]


async def _rebalanced(fleet: Fleet, back: Worker, count: int) -> list[Figure]:
    """Let a worker come back to one that has all sessions."""
    api = fleet.apis[0]
    async with sightings(api) as seen:
        begun = time.monotonic()
        await back.start()
        await shown(seen, lambda one: back.worker_id in one.owned and one.is_even, within=_WITHIN)
        took = time.monotonic() - begun
    await _all_connected(fleet, count)
    return [Figure(f"{count} sessions shared alike after a worker came back", took, "s"), *_progress("rebalance", seen)]


async def _drained(fleet: Fleet, leaving: Worker, count: int) -> list[Figure]:
    """Drain a worker, as an operator does."""
    api, names = fleet.apis[0], await owned_by(fleet, leaving.worker_id)
    async with api.events(kinds=["session.state_changed"]) as events:
        begun = time.monotonic()
        await api.system.DrainWorker(system_service_pb2.DrainWorkerRequest(worker_id=leaving.worker_id))

        async def is_drained() -> bool:
            listed = await api.system.ListWorkers(system_service_pb2.ListWorkersRequest())
            states = {worker.worker_id: worker.state for worker in listed.workers}
            return states[leaving.worker_id] == worker_pb2.Worker.STATE_DRAINED

        await eventually(is_drained, _WITHIN)
        took = time.monotonic() - begun
        seconds = await returns(events, names, begun, within=_WITHIN)
    await _all_connected(fleet, count)
    drained = Figure(f"a worker with {len(names)} sessions drained", took, "s")
    return [drained, *_times(f"{len(names)} sessions of a drained worker connected again", seconds)]


async def _all_sessions(fleet: Fleet) -> list[str]:
    connection = await fleet.connect()
    try:
        return [row["session_id"] for row in await connection.fetch("SELECT session_id FROM sessions")]
    finally:
        await connection.close()


async def _all_connected(fleet: Fleet, count: int) -> None:
    async def connected() -> bool:
        seen = await sighted(fleet.apis[0])
        return seen.connected == count and not seen.unowned

    await eventually(connected, _WITHIN)


def _times(what: str, seconds: list[float]) -> list[Figure]:
    shares = (("p50", 0.5), ("p99", 0.99), ("all", 1.0))
    return [Figure(f"{what}, {name}", percentile(seconds, share), "s", runs=seconds) for name, share in shares]


def _progress(what: str, seen: list[Sighting]) -> list[Figure]:
    """What operators saw on the way, for whoever watches; and in how many steps they saw it."""
    steps = [seen[0], *(now for before, now in pairwise(seen) if _counts(now) != _counts(before))]
    for one in steps:
        counts = " + ".join(str(count) for count in one.owned.values())
        sys.stderr.write(f"{one.seconds:7.1f} s: {one.connected} connected, {one.unowned} unowned, owned {counts}\n")
    return [Figure(f"steps of a {what} that GetStats and ListWorkers showed", len(steps), "")]


def _counts(one: Sighting) -> tuple[object, ...]:
    return one.connected, one.unowned, one.owned
