from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from gateway.domain.leases import Lease
from gateway.domain.sessions import DesiredState, Session, State, new_session
from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.store.making import TENANT, stored_session
from tests.conformance.store.stage import NOON, STAGES, Stage

TTL = timedelta(seconds=15)


async def claim(stage: Stage, owner_id: str = "me", limit: int = 100) -> list[Lease]:
    return await stage.leases.claim(owner_id, limit=limit, ttl=TTL)


async def change(stage: Stage, name: str, alter: Callable[[Session], None]) -> None:
    async def work(unit: UnitOfWork) -> None:
        session = await unit.sessions.get(TENANT, name)
        assert session is not None
        alter(session)
        await unit.sessions.save(session)

    await stage.store.write(work)


async def test_a_wanted_session_has_one_owner(stage: Stage) -> None:
    session = await stored_session(stage.store)
    assert await claim(stage) == [Lease(TENANT, session.uid, "me", 1)]
    assert await claim(stage, "you") == []
    assert await claim(stage) == []


async def test_many_who_claim_at_once_share_without_overlap(stage: Stage) -> None:
    uids = {(await stored_session(stage.store, f"s{n}")).uid for n in range(30)}
    claims = await asyncio.gather(*(claim(stage, f"owner{n}", limit=4) for n in range(10)))
    taken = [lease.session_uid for some in claims for lease in some]
    assert len(taken) == 30
    assert set(taken) == uids
    assert max(len(some) for some in claims) == 4


async def test_exactly_the_sessions_that_are_wanted_are_claimed(stage: Stage) -> None:
    wanted: set[str] = set()
    cases = product(
        (DesiredState.DESIRED_STATE_RUNNING, DesiredState.DESIRED_STATE_STOPPED),
        (True, False),
        State.values()[1:],
        (None, NOON),
    )
    for number, (desired_state, logout_wanted, state, deleted_time) in enumerate(cases):
        session = new_session(TENANT, f"s{number}", "web", NOON)
        session.desired_state, session.logout_wanted = desired_state, logout_wanted
        session.state, session.deleted_time = state, deleted_time
        await stage.store.write(lambda unit, session=session: unit.sessions.add(session))  # type: ignore[misc]
        if session.is_wanted:
            wanted.add(session.uid)
    assert {lease.session_uid for lease in await claim(stage)} == wanted


async def test_a_lease_that_ran_out_is_claimed_with_the_next_fence(stage: Stage) -> None:
    await stored_session(stage.store)
    await claim(stage)
    stage.clock.move(seconds=15)
    (lease,) = await claim(stage, "you")
    assert (lease.owner_id, lease.fence) == ("you", 2)
    assert await stage.leases.renew("me", TTL) == []


async def test_an_owner_whose_own_lease_ran_out_claims_it_with_the_next_fence(stage: Stage) -> None:
    await stored_session(stage.store)
    await claim(stage)
    stage.clock.move(seconds=15)
    assert await stage.leases.renew("me", TTL) == []
    assert [lease.fence for lease in await claim(stage)] == [2]


async def test_renewing_keeps_all_that_an_owner_holds_and_nothing_else(stage: Stage) -> None:
    for n in range(4):
        await stored_session(stage.store, f"s{n}")
    mine, yours = await claim(stage, "me", 2), await claim(stage, "you", 2)
    stage.clock.move(seconds=10)
    renewed = await stage.leases.renew("me", TTL)
    assert sorted(renewed, key=str) == sorted(mine, key=str)
    stage.clock.move(seconds=10)
    freed = await claim(stage, "third")
    assert {lease.session_uid for lease in freed} == {lease.session_uid for lease in yours}


async def test_a_released_lease_can_be_taken_at_once(stage: Stage) -> None:
    await stored_session(stage.store)
    (lease,) = await claim(stage)
    await stage.leases.release(lease)
    (next_lease,) = await claim(stage, "you")
    assert next_lease.fence == 2
    await stage.leases.release(lease)
    assert await stage.leases.renew("you", TTL) == [next_lease]


async def test_a_session_that_rests_is_claimed_again_when_it_is_wanted_again(stage: Stage) -> None:
    await stored_session(stage.store)

    def rest(session: Session) -> None:
        session.desired_state, session.state = DesiredState.DESIRED_STATE_STOPPED, State.STATE_STOPPED

    def want(session: Session) -> None:
        session.desired_state = DesiredState.DESIRED_STATE_RUNNING

    await change(stage, "sales", rest)
    assert await claim(stage) == []
    await change(stage, "sales", want)
    assert len(await claim(stage)) == 1


async def test_leases_of_an_earlier_process_end_at_once_and_their_fences_stay(stage: Stage) -> None:
    await stored_session(stage.store)
    await claim(stage, "before")
    await stage.leases.end_all()
    (lease,) = await claim(stage)
    assert lease.fence == 2


@pytest.mark.parametrize("stage_name", sorted(STAGES))
async def test_fences_grow_over_restarts(stage_name: str, folder: Path) -> None:
    for fence in (1, 2, 3):
        async with STAGES[stage_name](folder) as stage:
            if fence == 1:
                await stored_session(stage.store)
            await stage.leases.end_all()
            assert [lease.fence for lease in await claim(stage)] == [fence]
