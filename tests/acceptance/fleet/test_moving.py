"""Many sessions over two workers: one is lost, comes back, and the other is drained. All are connected again each time,
none is in two places, and whoever looks sees how far it is.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.course import keep
from tests.benchmarks.ours import Wagate
from tests.stage.fleet import Fleet, Worker, running_fleet
from tests.stage.lab import lab_process
from tests.stage.moving import doubled, owned_by, returns, shown, sightings
from tests.stage.postgres import PostgresServer
from tests.stage.programs import ROOT
from tests.stage.redis import redis_server
from wagate.v1 import system_service_pb2

FEW: Final = 16
MANY: Final = 1000
SOON: Final = 30.0
LATER: Final = 240.0
"""Seconds that moving a thousand may take on a small machine."""
_AT_ONCE: Final = 8


@pytest.mark.timeout(240)
@pytest.mark.parametrize("whole_fleet", ["redis"], indirect=True)
async def test_sessions_move_from_a_worker_that_is_lost_or_drained_and_to_one_that_comes(fleet: Fleet) -> None:
    few = asyncio.Semaphore(_AT_ONCE)

    async def one() -> str:
        async with few:
            return (await fleet.shop()).session_id

    names = await asyncio.gather(*(one() for _ in range(FEW)))
    await move(fleet, list(names), within=SOON)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_thousand_sessions_do(thousand: Fleet) -> None:
    async with thousand.apis[0].events(kinds=["session.state_changed"]) as events:
        names = [f"seat-{number}" for number in range(MANY)]
        begun = time.monotonic()
        await asyncio.gather(*(worker.start() for worker in thousand.workers))
        await returns(events, names, begun, within=LATER)
    await move(thousand, names, within=LATER)


@pytest.fixture
async def thousand(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    """A fleet with a thousand linked sessions, whose workers do not run yet; linking them for the first time takes
    minutes.
    """
    kept, embedded = ROOT / "build" / "worlds" / f"Wagate-{MANY}", tmp_path / "embedded"
    await keep(kept, tmp_path / "first", Wagate, MANY)
    shutil.copytree(kept / "contestant" / "data", embedded)
    async with (
        lab_process(tmp_path / "lab", world=kept / "world") as lab,
        redis_server(tmp_path / "redis") as redis,
        running_fleet(tmp_path / "fleet", lab, postgres, redis, apis=1, workers=0, embedded=embedded) as fleet,
    ):
        for _ in range(2):
            fleet.hire(tmp_path / "fleet")
        yield fleet


async def move(fleet: Fleet, names: list[str], *, within: float) -> None:
    """Lose a worker, let it come back, and drain the other one."""
    api, (lost, drained, *_) = fleet.apis[-1], fleet.workers
    async with fleet.lab.oracle() as entries, api.events(kinds=["session.state_changed"]) as events:
        async with sightings(api) as seen:
            of_lost = await _owned(fleet, lost, names)
            begun = time.monotonic()
            await lost.kill()
            await returns(events, of_lost, begun, within=within)
            await shown(seen, lambda one: one.owned.get(drained.worker_id, 0) >= len(names), within=within)
        async with sightings(api) as seen:
            await lost.start()
            await shown(seen, lambda one: lost.worker_id in one.owned and one.is_even, within=within)
        assert len({one.owned.get(lost.worker_id) for one in seen}) > 3
        of_drained = await _owned(fleet, drained, names)
        begun = time.monotonic()
        await api.system.DrainWorker(system_service_pb2.DrainWorkerRequest(worker_id=drained.worker_id))
        await returns(events, of_drained, begun, within=within)
        assert not await owned_by(fleet, drained.worker_id)
        assert not doubled(entries.seen)
    await drained.stop()
    await drained.start()


async def _owned(fleet: Fleet, worker: Worker, names: list[str]) -> set[str]:
    owned = set(await owned_by(fleet, worker.worker_id)) & set(names)
    assert len(names) // 4 < len(owned) < len(names)
    return owned
