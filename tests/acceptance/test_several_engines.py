"""A worker with several engines: one that dies takes only its own sessions with it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator

import pytest

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.numbers import Numbers
from tests.stage.processes import engines_of
from tests.stage.shop import PAIRED_WITHIN, State, reached

ENGINES = 3


@pytest.fixture
async def crowded(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Numbers]]:
    """A gateway whose engines have one session each."""
    environment = {"WAGATE_WORKER__SESSIONS_PER_ENGINE": "1", "WAGATE_METRICS__LISTEN": "127.0.0.1:0"}
    folder = tmp_path_factory.mktemp("crowded") / "gateway"
    async with gateway_process(folder, {**lab.environment, **environment}) as gateway:
        ready = json.loads(await gateway.process.said())
        yield World(gateway, lab), Numbers(f"http://{ready['metrics']}/metrics")


async def test_only_the_sessions_of_an_engine_that_dies_are_connected_anew(crowded: tuple[World, Numbers]) -> None:
    world, numbers = crowded
    shops = [await world.shop() for _ in range(ENGINES)]
    engines = engines_of(world.gateway.process.process_id)
    assert len(engines) == ENGINES
    async with world.gateway.events(kinds=["session.state_changed"]) as events:
        os.kill(engines[1], signal.SIGKILL)
        back = await events.until(reached(State.STATE_CONNECTED), within=PAIRED_WITHIN)
        assert {event.session_id for event in events.seen} == {back.session_id}
    shown = await numbers.now()
    assert [shown[f"wagate_engine_restarts_total{{{engine}}}"] for engine in (1, 2, 3)] == [0, 1, 0]
    assert [shown[f"wagate_engine_sessions{{{engine}}}"] for engine in (1, 2, 3)] == [1, 1, 1]
    ada = await world.lab.person("Ada")
    async with ada.inbox() as inbox:
        for shop in shops:
            await shop.accept(ada.phone_number, shop.session_id)
            assert (await inbox.next()).text == shop.session_id
