from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.queue.houses import HOUSES, House
from tests.stage.redis import RedisServer


async def test_everyone_who_listens_hears_a_bell(house: House) -> None:
    with house.here.listen("a", "b") as one, house.here.listen("b") as two:
        house.here.ring("b", "c")
        assert await one.heard(5)
        assert await two.heard(5)


async def test_a_bell_is_heard_by_those_who_listen_to_it_alone(house: House) -> None:
    with house.here.listen("a") as ears:
        house.here.ring("b")
        assert not await ears.heard(0.01)


async def test_a_bell_that_rang_before_is_heard_once(house: House) -> None:
    with house.here.listen("a") as ears:
        house.here.ring("a")
        house.here.ring("a")
        assert await ears.heard(5)
        assert not await ears.heard(0.05)


async def test_a_bell_wakes_who_waits_for_it(house: House) -> None:
    with house.here.listen("a") as ears:
        waiting = asyncio.create_task(ears.heard(5))
        await asyncio.sleep(0)
        house.here.ring("a")
        assert await waiting


async def test_a_bell_from_before_is_not_heard(house: House) -> None:
    house.here.ring("a")
    with house.here.listen("a") as ears:
        assert not await ears.heard(0.05)


async def test_a_bell_is_heard_in_other_processes(house: House) -> None:
    if not house.rings_across:
        pytest.skip("without bells, others look by themselves")
    with house.there.listen("a") as ears, house.there.listen("b") as others:
        house.here.ring("a")
        assert await ears.heard(5)
        assert not await others.heard(0.01)


async def test_a_queue_that_was_just_opened_fares_well(house: House) -> None:
    assert house.here.health().serving


@pytest.mark.parametrize("kind", sorted(HOUSES))
async def test_what_goes_wrong_meanwhile_is_raised_as_it_is(kind: str, folder: Path, redis: RedisServer) -> None:
    with pytest.raises(LookupError, match="keys"):
        async with HOUSES[kind](folder, redis):
            raise LookupError("the keys")
