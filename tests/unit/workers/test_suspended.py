"""An owner whose lines are of no use lets its session rest, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.leases import Lease
from gateway.domain.sessions import State
from gateway.services.faults import FAULTS_IN_A_ROW
from gateway.workers.session_owner import SessionOwner
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import in_state, owned, tools_of
from wagate.v1 import session_service_pb2 as pb

PROVEN_AFTER = timedelta(milliseconds=50)


async def hang_up(house: House, times: int) -> None:
    for number in range(1, times + 1):
        (await house.provider.line(number)).hang_up()


async def suspended(house: House) -> bool:
    return bool(await house.log("session.suspended"))


async def resumed(house: House) -> bool:
    return bool(await house.log("session.resumed"))


async def test_lines_that_end_before_they_are_of_use_suspend_a_session_and_a_restart_ends_its_rest(
    house: House, lease: Lease
) -> None:
    async with owned(house, lease, replace(tools_of(house), proven_after=PROVEN_AFTER)):
        await hang_up(house, FAULTS_IN_A_ROW)
        await eventually(lambda: suspended(house))
        session = await house.session()
        assert session.state == State.STATE_RECONNECTING
        assert session.next_attempt_time == session.rest_until_time
        await house.sessions.restart(house.call(), pb.RestartSessionRequest(session_id="sales"))
        await (await house.provider.line(FAULTS_IN_A_ROW + 1)).come_up()
        await eventually(lambda: resumed(house))
        await in_state(house, State.STATE_CONNECTED)


async def test_lines_that_were_of_use_may_end_as_often_as_they_like(house: House, lease: Lease) -> None:
    async with owned(house, lease, replace(tools_of(house), proven_after=timedelta(0))):
        for number in range(1, FAULTS_IN_A_ROW + 2):
            line = await house.provider.line(number)
            await line.come_up()
            await in_state(house, State.STATE_CONNECTED)
            line.hang_up()
    assert (await house.session()).fault_count == 0


async def test_an_owner_that_fails_again_and_again_suspends_its_session(
    house: House, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_opening: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house.provider, "open", fail)
    for _ in range(FAULTS_IN_A_ROW):
        with pytest.raises(ZeroDivisionError):
            await SessionOwner(lease, tools_of(house)).run()
    assert await suspended(house)


async def test_a_provider_that_is_down_as_a_whole_is_no_fault_of_a_session(house: House, lease: Lease) -> None:
    house.provider.is_down = True
    async with owned(house, lease):
        await eventually(lambda: house.provider.refused_openings >= 3)
    assert (await house.session()).fault_count == 0


async def test_a_session_that_is_taken_over_while_it_rests_goes_on_resting(house: House, lease: Lease) -> None:
    for _ in range(FAULTS_IN_A_ROW + 3):
        await house.faults.failed(lease)
    async with owned(house, lease):
        await in_state(house, State.STATE_RECONNECTING)
        await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))
        await in_state(house, State.STATE_STOPPED)
    assert house.provider.lines == []


async def test_a_session_that_was_stopped_while_it_rested_is_stopped_by_whoever_takes_it_over(
    house: House, lease: Lease
) -> None:
    for _ in range(FAULTS_IN_A_ROW + 3):
        await house.faults.failed(lease)
    await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))
    async with owned(house, lease):
        await in_state(house, State.STATE_STOPPED)
