from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from gateway.ports.unit_of_work import MessageFilter
from tests.conformance.store.making import TENANT
from tests.conformance.store.stage import STAGES, make

ROOT = Path(__file__).parents[3]


async def answered_before_it_was_killed(stage_name: str, folder: Path, count: int) -> set[str]:
    """Let a process write until so many units were answered, kill it, and return all that it was answered."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.conformance.store.writing_child",
        stage_name,
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    async with asyncio.timeout(30):
        lines = [await child.stdout.readline() for _ in range(count)]
    child.kill()
    rest = (await child.stdout.read()).splitlines(keepends=True)
    await child.wait()
    return {line.split()[1].decode() for line in (*lines, *rest) if line.endswith(b"\n")}


@pytest.mark.parametrize("stage_name", sorted(STAGES))
@pytest.mark.parametrize("count", [1, 50, 333])
async def test_what_was_answered_survives_a_killed_process(stage_name: str, folder: Path, count: int) -> None:
    if stage_name == "postgresql":
        await make(folder)
    answered = await answered_before_it_was_killed(stage_name, folder, count)
    async with STAGES[stage_name](folder) as stage:
        messages = await stage.store.read(
            lambda unit: unit.messages.page(TENANT, MessageFilter(), before_ordinal=None, limit=100_000)
        )
        events = await stage.store.read(lambda unit: unit.events.after(None, 0, limit=100_000))
    assert answered <= {one.message_id for one in messages}
    assert len(events) == len(messages)
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in events:
        sequences[event.session_uid].append(event.sequence)
    for numbers in sequences.values():
        assert numbers == list(range(1, len(numbers) + 1))
