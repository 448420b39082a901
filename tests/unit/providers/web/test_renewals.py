"""Leases are renewed together, and each line hears of its own."""

import asyncio
from datetime import timedelta

import grpc
import pytest

from gateway.ports.provider import LineDown, LineGone
from gateway.providers.web import renewals
from gateway.providers.web.engine import RunningEngine
from tests.unit.providers.web.conftest import open_line
from tests.unit.providers.web.scripted_engine import ScriptedEngine, error
from wagate.engine.v1 import engine_service_pb2 as pb

SPAN = timedelta(seconds=9)


async def test_all_that_are_renewed_at_once_go_out_in_one_call(
    running: RunningEngine, scripted: ScriptedEngine
) -> None:
    lines = [open_line(running, f"s_{number}", number) for number in range(1, 101)]
    await asyncio.gather(*(line.renew(SPAN) for line in lines))
    (request,) = scripted.requests
    assert {(lease.session_id, lease.fence) for lease in request.leases} == {(f"s_{n}", n) for n in range(1, 101)}


async def test_the_pace_of_making_lost_lines_again_goes_with_them(
    running: RunningEngine, scripted: ScriptedEngine
) -> None:
    running.renewals.reconnects_per_second = 12.5
    await open_line(running, "s_1", 1).renew(SPAN)
    assert [request.reconnects_per_second for request in scripted.requests] == [12.5]


async def test_only_the_line_whose_lease_was_refused_is_gone(running: RunningEngine, scripted: ScriptedEngine) -> None:
    scripted.answers["RenewLeases"] = pb.RenewLeasesResponse(refused_session_ids=["s_2"])
    lines = [open_line(running, f"s_{number}", 1) for number in (1, 2, 3)]
    came_of_it = await asyncio.gather(*(line.renew(SPAN) for line in lines), return_exceptions=True)
    assert [type(error) for error in came_of_it] == [type(None), LineGone, type(None)]


async def test_one_that_is_cancelled_takes_no_other_with_it(running: RunningEngine, scripted: ScriptedEngine) -> None:
    scripted.released.clear()
    first, second = (asyncio.create_task(open_line(running, uid, 1).renew(SPAN)) for uid in ("s_1", "s_2"))
    await scripted.came.wait()
    first.cancel()
    scripted.released.set()
    await second
    assert first.cancelled()


async def test_each_hears_of_a_failure(running: RunningEngine, scripted: ScriptedEngine) -> None:
    scripted.answers["RenewLeases"] = error(grpc.StatusCode.INTERNAL, "")
    lines = [open_line(running, uid, 1) for uid in ("s_1", "s_2")]
    came_of_it = await asyncio.gather(*(line.renew(SPAN) for line in lines), return_exceptions=True)
    assert [type(error) for error in came_of_it] == [LineDown, LineDown]


async def test_an_engine_that_does_not_answer_is_down(
    running: RunningEngine, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewals, "AT_ONCE", 0.05)
    scripted.released.clear()
    with pytest.raises(LineDown):
        await open_line(running, "s_1", 1).renew(SPAN)
