"""Workers say that they live and what they own, and see who else is at work."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.workers import Roll, Worker
from gateway.domain.workers import State as WorkerState
from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.leases.test_leases import TTL, claim
from tests.conformance.store.making import stored_session
from tests.conformance.store.stage import NOON, Stage

GRACE = timedelta(seconds=5)


def worker(worker_id: str = "me", session_count: int = 0, *, is_draining: bool = False) -> Worker:
    return Worker(
        worker_id, "a machine", "1.2", NOON, 10, "[::1]:9464", session_count=session_count, is_draining=is_draining
    )


async def roll(stage: Stage) -> Roll:
    return await stage.leases.look()


async def want_drain(stage: Stage, worker_id: str) -> None:
    async def work(unit: UnitOfWork) -> None:
        await unit.workers.want_drain(worker_id)

    await stage.store.write(work)


async def test_checking_in_renews_leases_and_tells_who_is_at_work_and_how_much_there_is(stage: Stage) -> None:
    for number in range(3):
        await stored_session(stage.store, f"s{number}")
    mine = await claim(stage, "me", 2)
    stage.clock.move(seconds=10)
    held, seen = await stage.leases.check_in(worker(session_count=2), TTL)
    assert sorted(held, key=str) == sorted(mine, key=str)
    assert (seen.wanted, seen.unowned, [one.worker_id for one in seen.workers]) == (3, 1, ["me"])
    stage.clock.move(seconds=10)
    held, seen = await stage.leases.check_in(worker("you"), TTL)
    assert (held, seen.unowned, [one.worker_id for one in seen.workers]) == ([], 1, ["me", "you"])


async def test_a_worker_is_seen_as_it_said_and_lives_for_as_long_as_a_lease(stage: Stage) -> None:
    await stage.leases.check_in(worker(session_count=1), TTL)
    stage.clock.move(seconds=3)
    await stage.leases.check_in(worker(session_count=7, is_draining=True), TTL)
    (seen,) = (await roll(stage)).workers
    said = worker(session_count=7, is_draining=True)
    assert (seen.display_name, seen.version, seen.start_time) == (said.display_name, said.version, said.start_time)
    assert (seen.capacity, seen.session_count, seen.is_draining) == (10, 7, True)
    assert (seen.metrics_address, seen.heartbeat_time) == ("[::1]:9464", stage.clock.now)
    stage.clock.move(seconds=15)
    assert (await roll(stage)).workers == ()


async def test_a_drain_that_is_wanted_stays_wanted_whatever_its_worker_says(stage: Stage) -> None:
    await stage.leases.check_in(worker(), TTL)
    await want_drain(stage, "me")
    for _ in range(2):
        _, seen = await stage.leases.check_in(worker(), TTL)
        assert seen.workers[0].drain_wanted
        assert (seen.serving, seen.share) == ([], 0)


async def test_a_worker_that_leaves_is_forgotten_at_once_and_one_that_is_lost_is_shown_for_an_hour(
    stage: Stage,
) -> None:
    for name in ("lost", "left", "me"):
        await stage.leases.check_in(worker(name), TTL)
    await stage.leases.leave("left")
    stage.clock.move(minutes=59)
    shown = await stage.store.read(lambda unit: unit.workers.page(after="", limit=10))
    assert {one.worker_id: one.state(stage.clock.now) for one in shown} == {
        "lost": WorkerState.STATE_LOST,
        "me": WorkerState.STATE_LOST,
    }
    stage.clock.move(minutes=2)
    assert await stage.store.read(lambda unit: unit.workers.page(after="", limit=10)) == []


async def test_workers_are_shown_in_pages(stage: Stage) -> None:
    for number in range(5):
        await stage.leases.check_in(worker(f"w{number}"), TTL)
    page = await stage.store.read(lambda unit: unit.workers.page(after="w1", limit=2))
    assert [one.worker_id for one in page] == ["w2", "w3"]
    assert await stage.store.read(lambda unit: unit.workers.get("w9")) is None


async def test_what_is_left_over_is_what_was_free_for_a_while(stage: Stage) -> None:
    await stored_session(stage.store)
    assert await stage.leases.claim("me", limit=5, ttl=TTL, free_for=GRACE) == []
    stage.clock.move(seconds=5)
    (lease,) = await stage.leases.claim("me", limit=5, ttl=TTL, free_for=GRACE)
    await stage.leases.release(lease)
    assert await stage.leases.claim("me", limit=5, ttl=TTL, free_for=GRACE) == []
    stage.clock.move(seconds=5)
    assert len(await stage.leases.claim("me", limit=5, ttl=TTL, free_for=GRACE)) == 1
    stage.clock.move(seconds=15)
    assert await stage.leases.claim("you", limit=5, ttl=TTL, free_for=GRACE) == []
    stage.clock.move(seconds=5)
    assert len(await stage.leases.claim("you", limit=5, ttl=TTL, free_for=GRACE)) == 1


async def test_whoever_gives_a_lease_back_rings_for_others(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await claim(stage)
    stage.rings.clear()
    await stage.leases.release(lease)
    assert stage.rings == [("fleet",)]
