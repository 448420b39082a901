"""What a session says of its line is true, whatever happens to the line, and is said in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.acceptance.conftest import World
from tests.acceptance.witness import witnessed
from tests.stage.faults import ban, drop, outdate, replace
from tests.stage.processes import engine_of, gone
from tests.stage.shop import PAIRED_WITHIN, Shop, State, reached
from tests.stage.waiting import eventually
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, session_service_pb2

Fault = lab_service_pb2.SetFaultRequest.Fault
ErrorReason = reasons.ErrorReason
Events = Watch[event_pb2.Event]

STATE_CHANGED: Final = "session.state_changed"
AT_ONCE: Final = timedelta(seconds=2)
A_WHILE: Final = timedelta(seconds=3)


async def becomes(events: Events, state: State.ValueType, within: float = PAIRED_WITHIN) -> event_pb2.Event:
    """The event by which a session is in a state."""
    return await events.until(reached(state), within=within)


async def unlink(shop: Shop) -> None:
    await shop.lab.unlink(shop.account)


@pytest.mark.parametrize(
    ("blow", "state", "reason"),
    [
        (lambda shop: replace(shop.lab, shop.account), State.STATE_BLOCKED, "SESSION_REPLACED"),
        (lambda shop: outdate(shop.lab, shop.account), State.STATE_BLOCKED, "CLIENT_OUTDATED"),
        (lambda shop: ban(shop.lab, shop.account, A_WHILE), State.STATE_BLOCKED, "ACCOUNT_BANNED"),
        (unlink, State.STATE_LOGGED_OUT, "SESSION_LOGGED_OUT"),
        (lambda shop: drop(shop.lab, shop.account), State.STATE_RECONNECTING, "LINE_LOST"),
    ],
    ids=["replaced", "outdated", "banned", "logged out", "cut"],
)
async def test_what_ends_a_line_is_said_at_once(
    world: World, blow: Callable[[Shop], Awaitable[object]], state: State.ValueType, reason: str
) -> None:
    shop = await world.shop()
    async with shop.events(STATE_CHANGED) as events:
        begun = datetime.now(UTC)
        await blow(shop)
        told = await becomes(events, state)
    assert told.record_time.ToDatetime(UTC) - begun <= AT_ONCE
    assert ErrorReason.Name(told.session_state_changed.status.failure.reason) == f"ERROR_REASON_{reason}"


async def test_a_session_never_says_that_it_is_connected_while_its_line_is_dead(impatient_world: World) -> None:
    shop, lab = await impatient_world.shop(), impatient_world.lab
    start = session_service_pb2.StartSessionRequest(session_id=shop.session_id)
    async with witnessed(shop) as witness, shop.events(STATE_CHANGED) as events:
        await ban(lab, shop.account, A_WHILE)
        await becomes(events, State.STATE_BLOCKED)
        await becomes(events, State.STATE_CONNECTED)
        await lab.fault(shop.account, Fault(frozen=True))
        witness.frozen = True
        for state in (State.STATE_DEGRADED, State.STATE_RECONNECTING):
            await becomes(events, state)
        witness.frozen = False
        await becomes(events, State.STATE_CONNECTED)
        await replace(lab, shop.account)
        await becomes(events, State.STATE_BLOCKED)
        await impatient_world.gateway.sessions.StartSession(start)
        await becomes(events, State.STATE_CONNECTED)
        await lab.fault(shop.account, Fault(unreachable=True))
        await drop(lab, shop.account)
        await becomes(events, State.STATE_RECONNECTING)
        await lab.fault(shop.account)
        await becomes(events, State.STATE_CONNECTED)
        await unlink(shop)
        await becomes(events, State.STATE_LOGGED_OUT)
    assert witness.looks > 50
    assert witness.longest_lie <= AT_ONCE.total_seconds()
    assert witness.longest_frozen_lie <= 5, "two pings, a second each, and the time to notice"
    said = {State.STATE_CONNECTED, State.STATE_DEGRADED, State.STATE_RECONNECTING, State.STATE_BLOCKED}
    assert said <= set(witness.states)


async def test_after_a_crash_no_session_says_that_the_line_of_the_process_before_is_open(own_world: World) -> None:
    shop = await own_world.shop()
    await own_world.gateway.kill()
    await own_world.lab.fault(shop.account, Fault(unreachable=True))
    await own_world.gateway.start()
    async with witnessed(shop) as witness:
        await eventually(lambda: witness.looks > 20)
    assert State.STATE_CONNECTED not in witness.states


@pytest.mark.timeout(180)
def test_with_the_usual_pings_a_frozen_line_is_degraded_in_45_seconds_and_made_anew_in_90(
    freezing: subprocess.Popen[bytes],
) -> None:
    said, _ = freezing.communicate()
    degraded, lost = json.loads(said)
    assert 0 < degraded <= 45
    assert degraded < lost <= 90


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_engine_that_hangs_is_replaced_and_no_session_goes_on_saying_that_it_is_connected(
    own_world: World,
) -> None:
    shop = await own_world.shop()
    hanging = engine_of(own_world.gateway.process.process_id)
    async with shop.events(STATE_CHANGED) as events:
        begun = datetime.now(UTC)
        os.kill(hanging, signal.SIGSTOP)
        lost = await becomes(events, State.STATE_RECONNECTING, within=60)
        await becomes(events, State.STATE_CONNECTED, within=60)
    assert lost.record_time.ToDatetime(UTC) - begun <= timedelta(seconds=45)
    await gone(hanging, within=10)
