"""Thousands that waited at WhatsApp are taken in, in order, fast, and cost no more memory than a few."""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.acceptance.conftest import World
from tests.stage.faults import say_many
from tests.stage.processes import engine_of, resident

MEBIBYTE: Final = 1024 * 1024
GROWTH_AT_MOST: Final = 48 * MEBIBYTE


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("count", "a_second"), [(2500, 100), pytest.param(10_000, 500, marks=pytest.mark.slow)])
async def test_what_waited_is_taken_in_in_order_and_fast_within_bounded_memory(
    own_world: World, count: int, a_second: int
) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    gateway = own_world.gateway.process.process_id
    processes = (gateway, engine_of(gateway))
    await shop.stop()
    await say_many(own_world.lab, ada, shop.phone_number, count)
    async with shop.events("message.received", "offline.gap") as events:
        before = [resident(process) for process in processes]
        await shop.start()
        begun = time.perf_counter()
        for number in range(1, count + 1):
            event = await events.next(within=60)
            assert event.message_received.message.content.text.text == f"Text {number}"
        took = time.perf_counter() - begun
        growth = [resident(process) - start for process, start in zip(processes, before, strict=True)]
        assert (await events.next()).offline_gap.item_count >= count
    assert max(growth) <= GROWTH_AT_MOST, f"gateway and engine grew by {growth} bytes"
    assert count / took >= a_second, f"{count / took:.0f} a second"
