import asyncio

import pytest

from gateway.domain.errors import ShuttingDown
from gateway.services.stopping import unless_stopped


async def answer() -> int:
    await asyncio.sleep(0)
    return 7


async def test_work_that_ends_first_is_answered() -> None:
    assert await unless_stopped(asyncio.Event(), answer()) == 7


async def test_a_stop_that_comes_first_cancels_the_work() -> None:
    stopping, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(unless_stopped(stopping, work()))
    await begun.wait()
    stopping.set()
    with pytest.raises(ShuttingDown):
        await waiting
    assert ended.is_set()


async def test_who_waits_can_be_cancelled_and_takes_the_work_along() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(unless_stopped(asyncio.Event(), work()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_what_the_work_raises_is_raised() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await unless_stopped(asyncio.Event(), fail())
