"""Why a session is not linked, or its pairing attempt ended; the other ends stand beside the ways to pair."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from typing import Final

from tests.acceptance.conftest import World
from tests.stage.processes import engine_of
from tests.stage.refusing import refused
from tests.stage.shop import Frame, State, is_last, reached
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_service_pb2

MOST: Final = 8


def shows_a_code(frame: Frame) -> bool:
    """Whether a frame holds something to scan."""
    return frame.HasField("code")


async def test_a_session_that_nobody_paired_says_that_it_needs_to_be(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.events("session.state_changed") as events:
        if (await shop.status()).state != State.STATE_PAIRING:
            await events.until(reached(State.STATE_PAIRING))
    assert (await shop.status()).failure.reason == reasons.ERROR_REASON_PAIRING_NEEDED


async def test_eight_may_watch_an_attempt_and_a_ninth_may_not(world: World) -> None:
    shop = await world.shop(paired=False)
    async with AsyncExitStack() as watchers:
        for _ in range(MOST):
            frames = await watchers.enter_async_context(shop.pairing())
            await frames.until(shows_a_code)
        async with shop.pairing() as ninth:
            with refused() as refusal:
                await ninth.end()
    assert refusal.reason == "TOO_MANY_WATCHERS"


async def test_an_attempt_whose_line_is_lost_has_failed_and_the_next_one_succeeds(own_world: World) -> None:
    shop = await own_world.shop(paired=False)
    engine = engine_of(own_world.gateway.process.process_id)
    async with shop.pairing() as frames:
        await frames.until(shows_a_code)
        os.kill(engine, signal.SIGKILL)
        last = await frames.until(is_last)
    assert last.failed.reason == reasons.ERROR_REASON_PAIRING_FAILED
    await shop.pair()


async def test_an_attempt_ends_when_its_session_is_stopped(world: World) -> None:
    shop = await world.shop(paired=False)
    stop = session_service_pb2.StopSessionRequest(session_id=shop.session_id)
    async with shop.pairing() as frames:
        await frames.until(shows_a_code)
        await world.gateway.sessions.StopSession(stop)
        last = await frames.until(is_last)
    assert last.failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED


async def test_an_attempt_ends_when_its_session_is_deleted(world: World) -> None:
    shop = await world.shop(paired=False)
    delete = session_service_pb2.DeleteSessionRequest(session_id=shop.session_id, force=True)
    async with shop.pairing() as frames:
        await frames.until(shows_a_code)
        await world.gateway.sessions.DeleteSession(delete)
        last = await frames.until(is_last)
    assert last.failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED


async def test_an_attempt_ends_when_its_session_is_restarted(world: World) -> None:
    shop = await world.shop(paired=False)
    restart = session_service_pb2.RestartSessionRequest(session_id=shop.session_id)
    async with shop.pairing() as frames:
        await frames.until(shows_a_code)
        await world.gateway.sessions.RestartSession(restart)
        last = await frames.until(is_last)
    assert last.failed.reason == reasons.ERROR_REASON_PAIRING_FAILED
    await shop.pair()
