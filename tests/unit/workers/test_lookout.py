"""The lookout: what is free is seen at the moment when it becomes so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from gateway.domain.workers import Roll, Worker
from gateway.workers.connect_pace import ConnectPace
from gateway.workers.lookout import Lookout, until_next_loss
from gateway.workers.tenure import boot_seconds
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


async def test_what_a_lost_worker_had_is_claimed_after_its_lease_and_not_before(house: House) -> None:
    await house.create()
    lookout = Lookout(house.leases, house.meter, ConnectPace(), ttl=TTL, left_over=timedelta(0))
    before = boot_seconds()
    await house.leases.check_in(worker("w_lost"), timedelta(milliseconds=500))
    await house.leases.claim("w_lost", limit=1, ttl=timedelta(milliseconds=500))

    async def claimed() -> bool:
        return bool((await lookout.look(worker)).leases)

    await eventually(claimed)
    assert boot_seconds() - before >= 0.5


@pytest.mark.parametrize(("rate", "look_again"), [(0, 0.0), (50, 2.0)])
async def test_who_claims_as_much_as_it_may_at_once_claims_more_when_those_may_be_open(
    house: House, rate: float, look_again: float
) -> None:
    for number in range(101):
        await house.create(f"s{number}")
    pace = ConnectPace()
    if rate:
        pace.share(rate, workers=1)
    lookout = Lookout(house.leases, house.meter, pace, ttl=TTL, left_over=timedelta(0))
    mine = worker(capacity=1000)
    await house.leases.check_in(mine, TTL)
    first, second = await lookout.look(lambda: mine), await lookout.look(lambda: mine)
    assert (len(first.leases), first.look_again) == (100, look_again)
    assert (len(second.leases), second.look_again) == (1, 1.0)
