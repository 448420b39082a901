"""A session that fails again and again for reasons of the gateway rests, and that is told."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.leases import Lease
from gateway.domain.sessions import State
from gateway.services.faults import FAULTS_IN_A_ROW, rest_after
from tests.unit.services.house import House
from wagate.v1 import session_service_pb2 as pb
from wagate.v1.error_reason_pb2 import ErrorReason
from wagate.v1.system_service_pb2 import GetStatsRequest


async def fail(house: House, lease: Lease, times: int) -> None:
    for _ in range(times):
        await house.faults.failed(lease)


async def test_some_faults_are_counted_and_change_nothing(house: House, lease: Lease) -> None:
    told = await house.newest()
    await fail(house, lease, FAULTS_IN_A_ROW - 1)
    assert (await house.session()).state == State.STATE_CONNECTED
    assert await house.newest() == told


async def test_after_some_faults_in_a_row_a_session_is_suspended_and_says_why_and_until_when(
    house: House, lease: Lease
) -> None:
    await fail(house, lease, FAULTS_IN_A_ROW)
    (suspended,) = [event.session_suspended for event in await house.log("session.suspended")]
    status = (await house.sessions.get(house.call(), pb.GetSessionRequest(session_id="sales"))).session.status
    assert status.state == State.STATE_RECONNECTING
    assert status.failure == suspended.failure
    assert status.next_attempt_time == suspended.until_time
    assert suspended.failure.reason == ErrorReason.ERROR_REASON_SESSION_SUSPENDED
    assert suspended.failure.metadata == {"fault_count": "5"}
    assert suspended.fault_count == FAULTS_IN_A_ROW
    assert (await house.stats.get(house.call(), GetStatsRequest())).suspended_session_count == 1


async def test_each_rest_is_longer_up_to_ten_minutes(house: House, lease: Lease) -> None:
    await fail(house, lease, FAULTS_IN_A_ROW + 2)
    told = [event.session_suspended for event in await house.log("session.suspended")]
    assert [one.fault_count for one in told] == [5, 6, 7]
    assert [rest_after(count).total_seconds() for count in (5, 6, 7, 11, 12, 500)] == [5, 10, 20, 320, 600, 600]


async def test_a_session_that_works_again_is_resumed_once_and_counts_from_none(house: House, lease: Lease) -> None:
    await fail(house, lease, FAULTS_IN_A_ROW)
    since = (await house.session()).suspend_time
    assert since is not None
    for _ in range(2):
        await house.faults.worked(lease)
    (resumed,) = [event.session_resumed for event in await house.log("session.resumed")]
    assert resumed.suspend_time.ToDatetime(since.tzinfo) == since
    assert resumed.fault_count == FAULTS_IN_A_ROW
    await fail(house, lease, FAULTS_IN_A_ROW - 1)
    assert len(await house.log("session.suspended")) == 1


async def test_a_session_that_is_stopped_or_logged_out_is_suspended_no_more(house: House, lease: Lease) -> None:
    for end in (house.lines.stopped, house.lines.logged_out):
        await fail(house, lease, FAULTS_IN_A_ROW)
        await end(lease)
        session = await house.session()
        assert (session.fault_count, session.suspend_time, session.rest_until_time) == (0, None, None)
    assert await house.log("session.resumed") == []
    assert rest_after(FAULTS_IN_A_ROW) == timedelta(seconds=5)
