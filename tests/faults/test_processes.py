"""Nothing is done to a process that is not proven to be ours."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.processes import NotOurs, child_of, kill, target
from tests.stage.children import child
from tests.stage.waiting import eventually

SLEEP = Path(shutil.which("sleep") or "/bin/sleep").resolve()


def is_sleeping(process_id: int) -> bool:
    """Whether a child has become the program that it was started for."""
    return target(process_id).program == str(SLEEP)


async def test_a_process_is_killed_only_if_it_is_the_very_one(tmp_path: Path) -> None:
    async with child(SLEEP, "600", log=tmp_path / "log") as sleeping:
        process_id = sleeping.process_id
        await eventually(lambda: is_sleeping(process_id))
        found = child_of(os.getpid(), process_id, SLEEP)
        with pytest.raises(NotOurs):
            await kill(replace(found, started="0"))
        with pytest.raises(NotOurs):
            child_of(os.getpid(), process_id, Path("/bin/true"))
        with pytest.raises(NotOurs):
            child_of(os.getpid(), os.getppid(), SLEEP)
        assert sleeping.runs
        await kill(found)
        assert await sleeping.ended() == -9
        with pytest.raises(NotOurs):
            target(process_id)


async def test_a_process_that_is_stopped_stands_until_it_may_go_on(tmp_path: Path) -> None:
    async with child(SLEEP, "600", log=tmp_path / "log") as sleeping:
        await eventually(lambda: is_sleeping(sleeping.process_id))
        found = child_of(os.getpid(), sleeping.process_id, SLEEP)
        await found.stop()
        found.go_on()
        await eventually(lambda: "T" not in Path(f"/proc/{found.process_id}/stat").read_text().split()[2])
