"""Operators see workers, drain them, and see all that there is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.errors import PageTokenInvalid, RequestIdReused, StoreUnavailable, WorkerNotFound
from gateway.domain.leases import Lease
from gateway.domain.sessions import State as SessionState
from gateway.ports.queue import worker_bell
from tests.unit.services.house import House
from tests.unit.workers.crew import worker
from wagate.v1 import system_service_pb2 as pb
from wagate.v1.worker_pb2 import Worker

TTL = timedelta(seconds=15)
State = Worker.State


async def check_in(house: House, *names: str) -> None:
    for name in names:
        await house.leases.check_in(worker(name), TTL)


async def listed(house: House, **page: object) -> pb.ListWorkersResponse:
    return await house.workers.list(house.call(), pb.ListWorkersRequest(**page))  # type: ignore[arg-type]


async def drain(house: House, worker_id: str = "w_1", request_id: str = "") -> pb.DrainWorkerResponse:
    request = pb.DrainWorkerRequest(worker_id=worker_id, request_id=request_id)
    return await house.workers.drain(house.call(), request)


async def test_workers_are_listed_with_their_share_in_pages(house: House) -> None:
    for name in ("a", "b", "c"):
        await house.create(name)
    await check_in(house, "w_1", "w_2", "w_3")
    first = await listed(house, page_size=2)
    assert [(one.worker_id, one.state, one.fair_share) for one in first.workers] == [
        ("w_1", State.STATE_SERVING, 1),
        ("w_2", State.STATE_SERVING, 1),
    ]
    second = await listed(house, page_token=first.next_page_token)
    assert [one.worker_id for one in second.workers] == ["w_3"]
    assert second.next_page_token == ""
    with pytest.raises(PageTokenInvalid):
        await listed(house, page_token="of another list")


async def test_a_drain_is_wanted_at_once_and_rings_for_its_worker(house: House) -> None:
    await house.create("a")
    await check_in(house, "w_1", "w_2")
    with house.queue.listen(worker_bell("w_1")) as ears:
        drained = (await drain(house)).worker
        assert await ears.heard(0)
    assert (drained.worker_id, drained.state, drained.fair_share) == ("w_1", State.STATE_DRAINING, 0)
    shares = {one.worker_id: one.fair_share for one in (await listed(house)).workers}
    assert shares == {"w_1": 0, "w_2": 1}


async def test_a_drain_that_is_repeated_shows_the_worker_as_it_is_now(house: House) -> None:
    await check_in(house, "w_1", "w_2")
    assert not (await drain(house, request_id="once")).repeated_request
    again = await drain(house, request_id="once")
    assert (again.repeated_request, again.worker.worker_id) == (True, "w_1")
    with pytest.raises(RequestIdReused):
        await drain(house, "w_2", request_id="once")


async def test_a_worker_that_is_not_there_cannot_be_drained(house: House) -> None:
    with pytest.raises(WorkerNotFound) as refused:
        await drain(house, "w_9")
    assert (refused.value.field, refused.value.facts) == ("worker_id", {"worker_id": "w_9"})


async def test_everything_is_counted(house: House, lease: Lease) -> None:
    await house.create("other")
    await house.send()
    await check_in(house, "w_1", "w_2")
    await drain(house)
    stats = await house.stats.get(house.call(), pb.GetStatsRequest())
    assert {one.state: one.count for one in stats.sessions} == {
        SessionState.STATE_CONNECTED: 1,
        SessionState.STATE_STARTING: 1,
    }
    assert (stats.unowned_session_count, stats.outbox_size, stats.worker_count) == (1, 1, 2)
    assert stats.worker_capacity == 100
    assert stats.HasField("outbox_age")
    assert (stats.store.serving, stats.queue.serving) == (True, True)
    newest = (await house.log())[-1]
    assert stats.newest_event_time == newest.record_time
    assert stats.newest_cursor == house.store.signer.cursor("default", await house.newest())
    del lease


async def test_a_database_that_takes_nothing_is_told(house: House) -> None:
    async def fail(_unit: object) -> None:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        await house.store.write(fail)
    stats = await house.stats.get(house.call(), pb.GetStatsRequest())
    assert not stats.store.serving
    assert stats.store.message
