"""Lines are opened at a pace that all workers share."""

from __future__ import annotations

import asyncio

from gateway.workers.connect_pace import ConnectPace


async def seconds_of(pace: ConnectPace, turns: int) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*(pace.turn() for _ in range(turns)))
    return loop.time() - begun


async def test_nobody_waits_unless_there_is_a_rate() -> None:
    assert await seconds_of(ConnectPace(), 1000) < 1


async def test_who_makes_lost_lines_again_is_told_of_the_same_pace() -> None:
    told: list[float] = []
    ConnectPace(told.append).share(100, workers=4)
    assert told == [25]


async def test_each_of_two_workers_opens_half_of_what_all_may() -> None:
    pace = ConnectPace()
    pace.share(100, workers=2)
    assert await seconds_of(pace, 26) >= 0.5
    pace.share(100, workers=1)
    assert await seconds_of(pace, 26) >= 0.25
