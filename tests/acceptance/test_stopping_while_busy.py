"""A server that is told to stop ends in time whatever is under way, and tells everybody who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Final

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode, aio

from tests.acceptance.conftest import World
from tests.acceptance.test_feeds import feed
from tests.acceptance.test_repeats import State, WaitFor, send
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.processes import engine_of, gone
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import contact_service_pb2, system_service_pb2

GRACE: Final = 8


@pytest.fixture
async def hurried_world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway that has little time to stop."""
    environment = {**lab.environment, "WAGATE_SHUTDOWN__GRACE": f"{GRACE}s"}
    async with gateway_process(tmp_path_factory.mktemp("hurried") / "gateway", environment) as gateway:
        yield World(gateway, lab)


async def test_whoever_waits_is_answered_when_the_server_is_told_to_stop(hurried_world: World) -> None:
    gateway = hurried_world.gateway
    shop, unpaired = await hurried_world.shop(), await hurried_world.shop(paired=False)
    ada = await hurried_world.lab.person("Ada")
    await ada.go(online=False)
    first = await send(shop, ada.phone_number, "hello", wait_for=WaitFor.WAIT_FOR_SENT)
    engine = engine_of(gateway.process.process_id)
    async with feed(gateway) as frames, shop.watch(first.message.message_id) as watch, unpaired.pairing() as pairing:
        for stream in (frames, watch, pairing):
            await stream.next()
        waiting = asyncio.create_task(
            send(
                shop,
                ada.phone_number,
                "still there?",
                request_id="waiting",
                wait_for=WaitFor.WAIT_FOR_DELIVERED,
                wait_timeout=Duration(seconds=60),
            )
        )
        await frames.until(lambda frame: frame.event.message_status_changed.state == State.STATE_SENT)
        frozen = lab_service_pb2.SetFaultRequest.Fault(frozen=True)
        await hurried_world.lab.fault(shop.account, frozen)
        numbers = [ada.phone_number]
        check = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=numbers)
        asking = asyncio.create_task(told(gateway.contacts.CheckContacts(check)))
        await gateway.system.GetServerInfo(system_service_pb2.GetServerInfoRequest())  # asked after it: it is under way
        async with asyncio.timeout(GRACE + 1):
            assert await gateway.process.stop() == 0
        await gone(engine, within=0.1)
        assert (await frames.end())[-1].HasField("goodbye")
        answered = await waiting
        assert (answered.message.state, answered.wait_satisfied) == (State.STATE_SENT, False)
        for stream in (watch, pairing):
            with pytest.raises(aio.AioRpcError) as error:
                await stream.end()
            assert error.value.code() == StatusCode.UNAVAILABLE
        assert await asking == StatusCode.UNAVAILABLE
    await hurried_world.lab.fault(shop.account)


async def told(call: Awaitable[object]) -> StatusCode:
    """The code that a call ends with."""
    try:
        await call
    except aio.AioRpcError as error:
        return error.code()
    return StatusCode.OK
