from __future__ import annotations

import asyncio
import time

from gateway.ports.queue import Ears
from tests.stage.redis import RedisServer
from tests.stage.waiting import eventually
from tests.unit.adapters.redis.processes import KEYS, Process, process_on


async def entries(server: RedisServer) -> int:
    async with server.client() as client:
        return sum([await client.xlen(stream) for stream in KEYS.streams()])


async def hears(ears: Ears, ringing: Process, bell: str = "a") -> None:
    """Ring until it is heard: what is rung while Redis is away is lost."""

    async def rung() -> bool:
        ringing.queue.ring(bell)
        return await ears.heard(0.2)

    await eventually(rung)


async def test_a_bell_that_rings_a_hundred_times_at_once_is_told_once(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            for _ in range(100):
                one.queue.ring("a")
            assert await ears.heard(5)
    assert await entries(redis) == 1


async def test_more_bells_than_can_wait_cost_no_memory(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        await redis.freeze()
        began = time.monotonic()
        for number in range(50_000):
            one.queue.ring(f"bell {number}")
        assert time.monotonic() - began < 5
        redis.thaw()
        with two.queue.listen("after") as ears:
            await hears(ears, one, "after")


async def test_streams_are_kept_short(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            for _ in range(1500):
                one.queue.ring("a")
                assert await ears.heard(5)
    assert await entries(redis) < 1200


async def test_bells_ring_after_redis_forgot_everything(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            await hears(ears, one)
            await redis.flush()
            one.queue.ring("a")
            assert await ears.heard(5)


async def test_bells_ring_again_after_redis_was_killed(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            await hears(ears, one)
            await redis.kill()
            await one.down()
            one.queue.ring("a")
            assert not await ears.heard(0.3)
            await redis.start()
            await one.up()
            await hears(ears, one)
    assert one.fared == [True, False, True]


async def test_bells_ring_within_a_process_while_redis_is_away(redis: RedisServer) -> None:
    async with process_on(redis) as one:
        await redis.kill()
        with one.queue.listen("a") as ears:
            one.queue.ring("a")
            assert await ears.heard(0.5)


async def test_a_process_begins_without_redis_and_finds_it_later(redis: RedisServer) -> None:
    await redis.kill()
    async with process_on(redis) as one, process_on(redis) as two:
        assert not one.queue.health().serving
        await redis.start()
        await one.up()
        with two.queue.listen("a") as ears:
            await hears(ears, one)
    assert one.fared == [False, True]


async def test_redis_is_seen_to_be_away_when_it_only_says_nothing(redis: RedisServer) -> None:
    async with process_on(redis) as one:
        await redis.freeze()
        await one.down()
        redis.thaw()
        await one.up()
    assert one.fared == [True, False, True]


async def test_what_rang_during_a_short_break_is_heard_after_it(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a", "b") as ears:
            await hears(ears, one)
            async with redis.client() as client:
                await client.client_kill_filter(_type="normal", skipme=True)
                await client.xadd(KEYS.shard("b"), {"by": "another", "bells": "b"})
            assert await ears.heard(5)


async def test_bells_ring_in_streams_that_were_cut_off(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            await hears(ears, one)
            async with redis.client() as client:
                for stream in KEYS.streams():
                    await client.xtrim(stream, maxlen=0, approximate=False)
            one.queue.ring("a")
            assert await ears.heard(5)


async def test_bells_ring_in_streams_that_began_again_in_an_earlier_time(redis: RedisServer) -> None:
    async with process_on(redis) as one, process_on(redis) as two:
        with two.queue.listen("a") as ears:
            async with redis.client() as client:
                await client.xadd(KEYS.shard("a"), {"by": "another", "bells": "a"}, id="99999999999999-0")
            assert await ears.heard(5)
            await redis.flush()
            await hears(ears, one)


async def test_a_queue_ends_at_once_whatever_redis_does(redis: RedisServer) -> None:
    for breaking in (redis.freeze, redis.kill):
        async with asyncio.timeout(8):
            async with process_on(redis):
                await breaking()
