"""Many processes on one database: who claims waits for nobody, and takes nothing from under a pen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.leases import Lease
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.ownership import needs
from tests.conformance.leases.test_leases import claim
from tests.conformance.leases.test_workers import worker
from tests.conformance.store.making import stored_session
from tests.conformance.store.stage import STAGES, Stage
from tests.stage.waiting import SECONDS


@pytest.fixture
async def processes(folder: Path) -> AsyncIterator[list[Stage]]:
    """Two stores on one PostgreSQL, as two processes have them."""
    async with STAGES["postgresql"](folder) as one, STAGES["postgresql"](folder) as other:
        yield [one, other]


@asynccontextmanager
async def slow_unit(stage: Stage, lease: Lease) -> AsyncIterator[None]:
    """The owner of a session is writing for it until the end of the context, and then has written."""
    writing, may_end = asyncio.Event(), asyncio.Event()

    async def write(unit: UnitOfWork) -> None:
        await unit.fences.check(lease.session_uid, lease.fence)
        writing.set()
        await may_end.wait()

    owner = asyncio.create_task(stage.store.write(write, needs(lease)))
    try:
        await writing.wait()
        yield
    finally:
        may_end.set()
        await owner


async def test_a_session_for_which_its_owner_is_just_writing_is_passed_over_and_not_waited_for(
    processes: list[Stage],
) -> None:
    one, other = processes
    for name in ("busy", "idle"):
        await stored_session(one.store, name)
    leases = {lease.session_uid: lease for lease in await claim(one)}
    busy, idle = leases.values()
    async with asyncio.timeout(SECONDS):
        async with slow_unit(one, busy):
            other.clock.move(seconds=15)
            assert await claim(other, "you") == [Lease(idle.tenant_id, idle.session_uid, "you", 2)]
        assert await claim(other, "you") == [Lease(busy.tenant_id, busy.session_uid, "you", 2)]


async def test_leases_are_renewed_and_claimed_while_the_units_of_sessions_take_long(processes: list[Stage]) -> None:
    one, _ = processes
    await stored_session(one.store, "busy")
    (busy,) = await claim(one, "me")
    await stored_session(one.store, "new")
    async with asyncio.timeout(SECONDS), slow_unit(one, busy):
        held, roll = await one.leases.check_in(worker("me"), timedelta(seconds=15))
        assert (held, roll.unowned) == ([busy], 1)
        assert (await one.leases.look()).unowned == 1
        assert len(await claim(one, "me")) == 1


async def test_many_processes_that_claim_at_once_share_without_overlap(processes: list[Stage]) -> None:
    uids = {(await stored_session(processes[0].store, f"s{n}")).uid for n in range(30)}
    claims = await asyncio.gather(*(claim(processes[n % 2], f"owner{n}", limit=4) for n in range(8)))
    rest = await claim(processes[0], "last")
    taken = [lease.session_uid for some in (*claims, rest) for lease in some]
    assert len(taken) == 30
    assert set(taken) == uids
