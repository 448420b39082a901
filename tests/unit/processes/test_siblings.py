"""Several processes are kept running, and end with their parent's word."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.processes.numbers import GatheredNumbers
from gateway.processes.sibling import SiblingEnded, Task
from gateway.processes.siblings import Siblings
from tests.stage.processes import gone
from tests.stage.waiting import eventually
from tests.unit.processes import playing


@asynccontextmanager
async def running(
    task: Task, *arguments: object, count: int = 2, patience: float = 10, hangs_after: float = 10
) -> AsyncIterator[tuple[Siblings, asyncio.Task[None]]]:
    siblings = Siblings(task, arguments, count, patience=patience, hangs_after=hangs_after)
    keeping = asyncio.create_task(siblings.run())
    try:
        yield siblings, keeping
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


def counted(siblings: Siblings, what: str) -> list[float | None]:
    """The number of `what` of the first process, and of the second."""
    return [
        siblings.registry.get_sample_value(f"wagate_process_{what}_total", {"process": number}) for number in ("1", "2")
    ]


async def test_all_are_ready_and_each_is_a_process_of_its_own(tmp_path: Path) -> None:
    async with running(playing.serve, tmp_path) as (siblings, _):
        await siblings.ready()
        process_ids = set(siblings.process_ids.values())
        assert len(process_ids - {os.getpid()}) == 2
        assert {ready.address for ready in siblings.serving.values()} == {f"played by {pid}" for pid in process_ids}
    assert {path.name for path in tmp_path.iterdir()} == {str(pid) for pid in process_ids}, "each was asked to end"


async def test_one_that_dies_is_started_again_alone(tmp_path: Path) -> None:
    async with running(playing.serve, tmp_path) as (siblings, _):
        await siblings.ready()
        first, second = siblings.process_ids[1], siblings.process_ids[2]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: 1 in siblings.serving and siblings.process_ids[1] != first)
        assert siblings.process_ids[2] == second
        assert counted(siblings, "restarts") == [1, 0]
        assert counted(siblings, "hangs") == [0, 0]


async def test_one_that_is_stopped_by_a_signal_is_killed_and_started_again_alone() -> None:
    async with running(playing.live, 0.05, hangs_after=1.0) as (siblings, _):
        await siblings.ready()
        first, second = siblings.process_ids[1], siblings.process_ids[2]
        os.kill(first, signal.SIGSTOP)
        await gone(first, within=10)
        await eventually(lambda: 1 in siblings.serving)
        assert siblings.process_ids[2] == second
        assert counted(siblings, "hangs") == counted(siblings, "restarts") == [1, 0]


async def test_one_that_blocks_its_own_loop_is_killed() -> None:
    async with running(playing.hang, 0.05, count=1, hangs_after=0.5) as (siblings, _):
        await siblings.ready()
        await gone(siblings.process_ids[1], within=10)
        await eventually(lambda: counted(siblings, "hangs") == [1, None])


async def test_one_that_cannot_serve_says_why_and_is_not_tried_again() -> None:
    async with running(playing.refuse) as (siblings, keeping):
        with pytest.raises(SiblingEnded, match="There is no room"):
            await siblings.ready()
        await asyncio.wait_for(keeping, 10)


async def test_one_that_ends_without_a_word_is_told_by_its_exit_status() -> None:
    async with running(playing.fall, count=1) as (siblings, _):
        with pytest.raises(SiblingEnded, match="exit status 7"):
            await siblings.ready()


async def test_one_that_takes_no_notice_is_killed_once_its_time_is_over() -> None:
    async with running(playing.ignore, count=1, patience=0.2) as (siblings, _):
        await siblings.ready()
        process_id = siblings.process_ids[1]
    await gone(process_id, within=0.1)


async def test_the_numbers_of_all_are_told_apart_by_process(tmp_path: Path) -> None:
    async with running(playing.serve, tmp_path) as (siblings, _):
        await siblings.ready()
        dead = {3: "127.0.0.1:9"}
        addresses = {number: ready.metrics_address for number, ready in siblings.serving.items()}
        siblings.registry.register(GatheredNumbers(lambda: addresses | dead))

        def played(number: int) -> float | None:
            labels = {"by": "me", "process": str(number)}
            return siblings.registry.get_sample_value("played_total", labels)

        shown = await asyncio.to_thread(lambda: [played(number) for number in (1, 2, 3)])
        assert shown == [siblings.process_ids[1], siblings.process_ids[2], None]
