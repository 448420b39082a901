"""A worker that an operator drains gives its sessions to others, and whoever looks sees it."""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.acceptance.fleet.test_takeover import talk
from tests.stage.fleet import Fleet
from tests.stage.shop import State, reached
from tests.stage.waiting import eventually
from wagate.v1 import system_service_pb2, worker_pb2

pytestmark = pytest.mark.timeout(120)

SOON: Final = 20.0
DRAINED_WITHIN: Final = 5.0
"""Seconds, whether bells tell the worker or it has to look."""


async def workers(fleet: Fleet) -> dict[str, worker_pb2.Worker]:
    """All workers, as the last API process shows them."""
    answer = await fleet.apis[-1].system.ListWorkers(system_service_pb2.ListWorkersRequest())
    return {worker.worker_id: worker for worker in answer.workers}


async def test_a_worker_that_is_drained_hands_its_sessions_over_and_is_seen_to(fleet: Fleet) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    await talk(fleet, shop, ada, "hello")
    owner = await fleet.owner(shop)

    async def is_drained() -> bool:
        return (await workers(fleet))[owner.worker_id].state == worker_pb2.Worker.STATE_DRAINED

    async with shop.events("session.state_changed") as events:
        begun = time.monotonic()
        request = system_service_pb2.DrainWorkerRequest(worker_id=owner.worker_id)
        shown = (await fleet.apis[0].system.DrainWorker(request)).worker
        assert shown.state in (worker_pb2.Worker.STATE_DRAINING, worker_pb2.Worker.STATE_DRAINED)
        await eventually(is_drained, SOON)
        assert time.monotonic() - begun < DRAINED_WITHIN
        await events.until(reached(State.STATE_CONNECTED), within=SOON)
    await talk(fleet, shop, ada, "hello again")
    seen = (await workers(fleet))[owner.worker_id]
    assert (seen.session_count, seen.fair_share, seen.display_name) == (0, 0, owner.name)
    stats = await fleet.apis[1].system.GetStats(system_service_pb2.GetStatsRequest())
    assert (stats.unowned_session_count, stats.store.serving, stats.queue.serving) == (0, True, True)
    assert await owner.stop() == 0
    assert owner.worker_id not in await workers(fleet)
