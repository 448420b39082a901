"""The lookout: what is free is seen at the moment when it becomes so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from gateway.domain.workers import Roll, Worker
from gateway.workers.lookout import Lookout, until_next_loss
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import worker

NOW: Final = datetime(2026, 5, 1, tzinfo=UTC)
TTL: Final = timedelta(seconds=100)


def alive_for(seconds: float) -> Worker:
    return Worker("w", "", "1.0", NOW, 10, alive_until=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("lasting", "look_again"), [((), 1.0), ((15.0, 12.0), 1.0), ((15.0, 0.3), 0.305), ((0.0,), 0.005)]
)
def test_the_next_look_is_in_a_second_or_when_somebody_is_taken_for_lost(
    lasting: tuple[float, ...], look_again: float
) -> None:
    roll = Roll(NOW, tuple(map(alive_for, lasting)))
    assert until_next_loss(roll) == pytest.approx(look_again)


async def test_what_a_lost_worker_had_is_claimed_with_the_first_look_after_its_lease(house: House) -> None:
    await house.create()
    lookout = Lookout(house.leases, house.meter, ttl=TTL, left_over=timedelta(0))
    await house.leases.check_in(worker("w_lost"), timedelta(milliseconds=500))
    await house.leases.claim("w_lost", limit=1, ttl=timedelta(milliseconds=500))
    first = await lookout.look(worker)
    assert not first.leases
    assert first.look_again <= 0.505

    async def claimed() -> bool:
        return bool((await lookout.look(worker)).leases)

    await eventually(claimed)


async def test_who_claims_as_much_as_it_may_at_once_looks_again_without_a_pause(house: House) -> None:
    for number in range(101):
        await house.create(f"s{number}")
    lookout = Lookout(house.leases, house.meter, ttl=TTL, left_over=timedelta(0))
    mine = worker(capacity=1000)
    await house.leases.check_in(mine, TTL)
    first, second = await lookout.look(lambda: mine), await lookout.look(lambda: mine)
    assert (len(first.leases), first.look_again) == (100, 0.0)
    assert (len(second.leases), second.look_again) == (1, 1.0)
