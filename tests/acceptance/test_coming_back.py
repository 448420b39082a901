"""Sessions come back by themselves: all of them, side by side, however the gateway ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

import pytest

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab
from tests.stage.shop import Shop, State, reached
from tests.stage.watching import watching
from wagate.v1 import session_service_pb2
from wagate.v1.event_service_pb2 import StreamEventsRequest

SESSIONS: Final = 8


@pytest.fixture(scope="module")
async def shops(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sequence[Shop]]:
    """Eight linked sessions of one gateway."""
    async with gateway_process(tmp_path_factory.mktemp("many") / "gateway", lab.environment) as gateway:
        yield await asyncio.gather(*(World(gateway, lab).shop() for _ in range(SESSIONS)))


async def newest_cursor(gateway: Gateway) -> str:
    """The cursor behind all that has happened."""
    async with watching(gateway.feeds.StreamEvents(StreamEventsRequest()), lambda frame: frame.opened.cursor) as opened:
        return await opened.next()


async def all_come_back(shops: Sequence[Shop], cursor: str) -> None:
    """Wait until each session told that it is connected again, and see that each can send."""
    missing = {shop.session_id for shop in shops}
    async with shops[0].gateway.events(after=cursor, kinds=["session.state_changed"]) as events:
        while missing:
            missing.discard((await events.until(reached(State.STATE_CONNECTED), within=30)).session_id)
    ada = await shops[0].lab.person("Ada")
    async with ada.inbox() as inbox:
        await asyncio.gather(*(shop.accept(ada.phone_number, shop.session_id) for shop in shops))
        heard = {(await inbox.next()).text for _ in shops}
    assert heard == {shop.session_id for shop in shops}


async def test_all_sessions_come_back_after_a_restart(shops: Sequence[Shop]) -> None:
    cursor = await newest_cursor(shops[0].gateway)
    accounts = [(await shop.status()).account.id for shop in shops]
    await shops[0].gateway.restart()
    await all_come_back(shops, cursor)
    assert [(await shop.status()).account.id for shop in shops] == accounts


async def test_all_sessions_come_back_after_a_crash(shops: Sequence[Shop]) -> None:
    cursor = await newest_cursor(shops[0].gateway)
    await shops[0].gateway.kill()
    await shops[0].gateway.start()
    await all_come_back(shops, cursor)


async def test_a_restarted_session_has_a_new_line_and_says_so(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("session.state_changed") as events:
        request = session_service_pb2.RestartSessionRequest(session_id=shop.session_id)
        await world.gateway.sessions.RestartSession(request)
        await events.until(lambda event: event.session_state_changed.status.state != State.STATE_CONNECTED)
        await events.until(reached(State.STATE_CONNECTED))
    async with ada.inbox() as inbox:
        await shop.accept(ada.phone_number, "back again")
        assert (await inbox.next()).text == "back again"


async def test_a_restart_starts_a_session_that_was_stopped(world: World) -> None:
    shop = await world.shop()
    await shop.stop()
    async with shop.events("session.state_changed") as events:
        request = session_service_pb2.RestartSessionRequest(session_id=shop.session_id)
        await world.gateway.sessions.RestartSession(request)
        await events.until(reached(State.STATE_CONNECTED))
