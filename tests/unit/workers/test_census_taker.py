from __future__ import annotations

import asyncio

from gateway.services.counting import Counting
from gateway.services.duties import DutiesOfOne
from gateway.workers.census_taker import CensusTaker
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House


async def test_the_numbers_are_there_soon_after_the_start_and_a_stop_ends_the_counting(house: House) -> None:
    await house.create()
    stopping = asyncio.Event()
    working = asyncio.create_task(CensusTaker(DutiesOfOne(), Counting(house.store, house.meter)).run(stopping))
    numbers = house.meter.registry
    await eventually(lambda: numbers.get_sample_value("wagate_sessions", {"state": "STATE_STARTING"}) == 1)
    stopping.set()
    await asyncio.wait_for(working, SECONDS)
