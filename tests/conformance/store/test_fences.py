from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.store.making import TENANT, stored_session
from tests.conformance.store.stage import Stage

TTL = timedelta(seconds=15)


async def check(stage: Stage, lease: Lease, fence: int | None = None) -> None:
    await stage.store.write(lambda unit: unit.fences.check(lease.session_uid, lease.fence if fence is None else fence))


async def test_only_the_fence_that_holds_the_lease_may_write(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await stage.leases.claim("me", limit=1, ttl=TTL)
    await check(stage, lease)
    for fence in (lease.fence - 1, lease.fence + 1):
        with pytest.raises(LeaseLost):
            await check(stage, lease, fence)
    with pytest.raises(LeaseLost):
        await stage.store.write(lambda unit: unit.fences.check("s_nobody", 1))


async def test_a_lease_that_ran_out_may_not_write(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await stage.leases.claim("me", limit=1, ttl=TTL)
    stage.clock.move(seconds=14.9)
    await check(stage, lease)
    stage.clock.move(seconds=0.1)
    with pytest.raises(LeaseLost):
        await check(stage, lease)


async def test_a_lease_is_held_from_its_claim_until_it_runs_out_or_is_given_back(stage: Stage) -> None:
    session = await stored_session(stage.store)

    async def is_held() -> bool:
        return await stage.store.read(lambda unit: unit.fences.is_held(session.uid))

    assert not await is_held()
    (lease,) = await stage.leases.claim("me", limit=1, ttl=TTL)
    assert await is_held()
    await stage.leases.release(lease)
    assert not await is_held()
    await stage.leases.claim("another", limit=1, ttl=TTL)
    assert await is_held()
    stage.clock.move(seconds=15)
    assert not await is_held()


async def test_a_lost_fence_fails_its_own_unit_alone(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await stage.leases.claim("me", limit=1, ttl=TTL)

    async def rename(unit: UnitOfWork, fence: int, name: str) -> None:
        session = await unit.sessions.get(TENANT, "sales")
        assert session is not None
        session.display_name += name
        await unit.sessions.save(session)
        await unit.fences.check(lease.session_uid, fence)

    results = await asyncio.gather(
        stage.store.write(lambda unit: rename(unit, lease.fence, "a")),
        stage.store.write(lambda unit: rename(unit, lease.fence - 1, "b")),
        stage.store.write(lambda unit: rename(unit, lease.fence, "c")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), LeaseLost, type(None)]
    session = await stage.store.read(lambda unit: unit.sessions.get(TENANT, "sales"))
    assert session is not None
    assert session.display_name == "ac"


async def test_a_release_in_the_same_group_ends_the_right_to_write(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await stage.leases.claim("me", limit=1, ttl=TTL)
    _, outcome = await asyncio.gather(stage.leases.release(lease), check(stage, lease), return_exceptions=True)
    assert isinstance(outcome, LeaseLost)
