"""Of the workers that are alive, one has the duties."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.services.duties import DutiesOfTheEldest
from tests.unit.services.house import House
from tests.unit.workers.crew import worker

TTL = timedelta(seconds=15)


@pytest.mark.parametrize("elder", [0, 1])
async def test_the_eldest_of_those_alive_has_them_and_the_next_once_it_is_lost(house: House, elder: int) -> None:
    workers = [worker("w_1"), worker("w_2")]
    for number, one in enumerate(workers):
        workers[number] = replace(one, start_time=house.clock.now() - timedelta(hours=1 if number == elder else 0))

    async def have_them() -> list[str]:
        return [one.worker_id for one in workers if await DutiesOfTheEldest(house.store, one.worker_id).are_mine()]

    assert await have_them() == [], "nobody has said yet that it lives"
    for one in workers:
        await house.leases.check_in(one, TTL)
    assert await have_them() == [workers[elder].worker_id]
    house.clock.ahead += TTL / 2
    await house.leases.check_in(workers[1 - elder], TTL)
    house.clock.ahead += TTL / 2 + timedelta(seconds=1)
    assert await have_them() == [workers[1 - elder].worker_id]
