"""Fleets: who owns which session, and what becomes of it when leases end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.adapters.sql.units import SqlUnitOfWork
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import State
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.session_owner import SessionOwner
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import in_state, sailing, tools_of, worker
from wagate.v1 import session_service_pb2 as pb


async def test_every_session_that_is_wanted_gets_an_owner_and_a_line(house: House) -> None:
    wanted = {(await house.create(name)).uid for name in ("a", "b")}
    await house.create("stopped")
    await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="stopped"))
    async with sailing(house):
        await in_state(house, State.STATE_STOPPED, "stopped")
        await house.provider.line(2)
        wanted.add((await house.create("later")).uid)
        await house.provider.line(3)
    assert {line.opening.session_uid for line in house.provider.lines} == wanted


async def test_a_session_that_is_started_again_is_owned_again(house: House) -> None:
    await house.create()
    async with sailing(house):
        await (await house.provider.line()).tell(LineChanged(LineState.UNLINKED))
        await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))
        await in_state(house, State.STATE_STOPPED)
        await house.sessions.start(house.call(), pb.StartSessionRequest(session_id="sales"))
        await house.provider.line(2)


async def test_two_fleets_own_no_session_at_the_same_time(house: House) -> None:
    for name in ("a", "b", "c", "d"):
        await house.create(name)
    async with sailing(house, "w_1"), sailing(house, "w_2"):
        await house.provider.line(4)
    opened = [line.opening.session_uid for line in house.provider.lines]
    assert len(opened) == len(set(opened)) == 4


async def test_a_fleet_that_is_stopped_closes_its_lines_and_gives_its_sessions_back_at_once(house: House) -> None:
    await house.create()
    async with sailing(house, "w_1"):
        first = await house.provider.line()
    assert first.closed
    async with sailing(house, "w_2"):
        second = await house.provider.line(2)
    assert second.opening.lease.fence == first.opening.lease.fence + 1


async def test_leases_are_renewed_and_lines_are_told_no_more_than_what_is_left(house: House) -> None:
    await house.create()
    async with sailing(house, ttl=2, every=0.1):
        line = await house.provider.line()
        await eventually(lambda: len(line.renewed) >= 25)
        assert not line.closed
    assert all(timedelta(0) < remaining < timedelta(seconds=2) for remaining in line.renewed)
    assert len(house.provider.lines) == 1


async def test_an_owner_whose_lease_was_taken_by_another_ends(house: House) -> None:
    await house.create()
    async with sailing(house, ttl=100, every=0.1):
        line = await house.provider.line()
        (taken,) = await house.store.write(_taken_by_another)
        told = await house.newest()
        await eventually(lambda: line.closed)
        assert taken.fence == line.opening.lease.fence + 1
        assert await house.newest() == told
    assert len(house.provider.lines) == 1


async def test_a_session_whose_lease_ran_out_unnoticed_has_one_owner_and_the_fleet_can_be_stopped(house: House) -> None:
    await house.create()
    async with sailing(house, ttl=100, every=50):
        first = await house.provider.line()
        await house.leases.end_all()
        second = await house.provider.line(2)
        assert first.closed
        await second.tell(LineChanged(LineState.UNLINKED))
        await in_state(house, State.STATE_PAIRING)
    assert second.closed


async def _taken_by_another(unit: SqlUnitOfWork) -> list[Lease]:
    await unit.sql_fences.end_all()
    return await unit.sql_fences.claim("w_other", 1, timedelta(seconds=100))


class Faulty(SessionOwner):
    """An owner that fails."""

    async def run(self) -> None:
        raise ZeroDivisionError


async def test_a_fault_in_one_owner_leaves_the_others_alone(house: House) -> None:
    faulty = (await house.create("a")).uid
    await house.create("b")
    tools = tools_of(house, ttl=timedelta(seconds=100))

    def hire(lease: Lease) -> SessionOwner:
        return (Faulty if lease.session_uid == faulty else SessionOwner)(lease, tools)

    terms = FleetTerms(10, timedelta(seconds=100), timedelta(seconds=10))
    fleet, stopping = Fleet(worker(), house.leases, house.queue, house.meter, terms, hire), asyncio.Event()
    working = asyncio.create_task(fleet.run(stopping))
    line = await house.provider.line()
    await line.tell(LineChanged(LineState.UNLINKED))
    await in_state(house, State.STATE_PAIRING, "b")
    stopping.set()
    await asyncio.wait_for(working, SECONDS)


async def test_a_fleet_owns_no_more_than_it_can(house: House) -> None:
    for name in ("a", "b", "c"):
        await house.create(name)
    terms, tools = (
        FleetTerms(2, timedelta(seconds=100), timedelta(seconds=10)),
        tools_of(house, ttl=timedelta(seconds=100)),
    )
    fleet = Fleet(worker(), house.leases, house.queue, house.meter, terms, lambda lease: SessionOwner(lease, tools))
    stopping = asyncio.Event()
    working = asyncio.create_task(fleet.run(stopping))
    await house.provider.line(2)
    (left,) = await house.leases.claim("w_other", limit=5, ttl=timedelta(seconds=100))
    assert left.session_uid not in {line.opening.session_uid for line in house.provider.lines}
    stopping.set()
    await asyncio.wait_for(working, SECONDS)
