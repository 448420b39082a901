"""Why a session is not connected: each reason, what the session's status says of it, and how it comes back."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from google.protobuf.duration_pb2 import Duration

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab
from tests.stage.programs import built
from tests.stage.shop import PAIRED_WITHIN, Shop, State, new_shop, reached
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_pb2

Fault = lab_service_pb2.SetFaultRequest.Fault

HOUR = 3600


async def fallen(shop: Shop, fault: Fault, state: State.ValueType) -> session_pb2.SessionStatus:
    """Let this go wrong for a session's account, cut its line, and wait until the session is in a state."""
    async with shop.events("session.state_changed") as events:
        await shop.lab.fault(shop.account, fault)
        await shop.lab.stub.DropConnections(lab_service_pb2.DropConnectionsRequest(phone_number=shop.phone_number))
        event = await events.until(reached(state), within=PAIRED_WITHIN)
    return event.session_state_changed.status


async def test_a_session_that_nobody_paired_says_that_it_needs_to_be(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.events("session.state_changed") as events:
        if (await shop.status()).state != State.STATE_PAIRING:
            await events.until(reached(State.STATE_PAIRING))
    assert (await shop.status()).failure.reason == reasons.ERROR_REASON_PAIRING_NEEDED


async def test_a_line_that_is_cut_is_lost_and_made_again(world: World) -> None:
    shop = await world.shop()
    status = await fallen(shop, Fault(unreachable=True), State.STATE_RECONNECTING)
    assert status.failure.reason == reasons.ERROR_REASON_LINE_LOST
    assert status.HasField("next_attempt_time")
    async with shop.events("session.state_changed") as events:
        await world.lab.fault(shop.account)
        await events.until(reached(State.STATE_CONNECTED), within=40)
    assert not (await shop.status()).HasField("failure")


async def test_a_client_that_is_too_old_is_blocked_until_it_is_started_anew(world: World) -> None:
    shop = await world.shop()
    status = await fallen(shop, Fault(login_failure_code=405), State.STATE_BLOCKED)
    assert (status.failure.reason, status.failure.provider_code) == (reasons.ERROR_REASON_CLIENT_OUTDATED, "405")
    await world.lab.fault(shop.account)
    await shop.start()


async def test_an_account_that_is_banned_is_blocked_and_says_until_when(world: World) -> None:
    shop = await world.shop()
    banned = Fault(login_failure_code=402, ban_duration=Duration(seconds=HOUR))
    status = await fallen(shop, banned, State.STATE_BLOCKED)
    (restriction,) = status.restrictions
    assert status.failure.reason == reasons.ERROR_REASON_ACCOUNT_BANNED
    assert restriction.kind == session_pb2.Restriction.KIND_BANNED
    assert HOUR - 60 < restriction.until_time.seconds - time.time() <= HOUR
    await world.lab.fault(shop.account)
    await shop.start()
    assert not (await shop.status()).restrictions


async def test_a_line_that_does_not_answer_is_degraded_and_then_made_again(lab: Lab, tmp_path: Path) -> None:
    environment = {**lab.environment, "WAGATE_ENGINE__BINARY": str(impatient_engine(tmp_path))}
    async with gateway_process(tmp_path / "gateway", environment) as gateway:
        shop = await new_shop(gateway, lab)
        async with shop.events("session.state_changed") as events:
            await lab.fault(shop.account, Fault(frozen=True))
            degraded = await events.until(reached(State.STATE_DEGRADED))
            lost = await events.until(reached(State.STATE_RECONNECTING))
            await events.until(reached(State.STATE_CONNECTED), within=PAIRED_WITHIN)
    for event in (degraded, lost):
        assert event.session_state_changed.status.failure.reason == reasons.ERROR_REASON_LINE_UNRESPONSIVE


def impatient_engine(folder: Path) -> Path:
    """An engine that pings its lines several times a second."""
    program = folder / "impatient-engine"
    program.write_text(f'#!/bin/sh\nexec {built("wagate-engine")} --ping-every 500ms --ping-answer 300ms "$@"\n')
    program.chmod(0o700)
    return program


async def test_whoever_has_a_copy_of_the_keys_takes_the_line_away(own_world: World, tmp_path: Path) -> None:
    gateway, lab = own_world.gateway, own_world.lab
    shop = await own_world.shop()
    await gateway.stop()
    shutil.copytree(gateway.folder / "data", tmp_path / "stolen" / "data")
    await gateway.start()
    async with shop.pairing() as frames:
        assert (await frames.end(within=PAIRED_WITHIN))[-1].HasField("connected")
    thief = Gateway(tmp_path / "stolen", lab.environment)
    async with shop.events("session.state_changed") as events:
        await thief.start()
        event = await events.until(reached(State.STATE_BLOCKED), within=PAIRED_WITHIN)
        await thief.stop()
    assert event.session_state_changed.status.failure.reason == reasons.ERROR_REASON_SESSION_REPLACED
    await shop.start()
