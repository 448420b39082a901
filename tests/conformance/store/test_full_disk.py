"""A store whose disk is full: what it answered is kept, what it refused is not there, and room is all that it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.stage.children import Child, child
from tests.stage.programs import ROOT
from tests.stage.small_disk import SmallDisk, small_disk


@asynccontextmanager
async def writing(disk: SmallDisk) -> AsyncIterator[Child]:
    """A process that writes on the disk."""
    program = (*disk.entering, sys.executable, "-m", "tests.conformance.store.full_disk_child")
    paths = os.pathsep.join([str(ROOT), *sys.path])
    log = disk.folder.with_name("child.log")
    async with child(*program, disk.folder, log=log, environment={"PYTHONPATH": paths}) as started:
        yield started


async def said_until(process: Child, first_word: str) -> tuple[list[str], list[str]]:
    """What a process says before it says this, and the words that it then says."""
    before: list[str] = []
    while True:
        words = (await process.said()).decode().split()
        if words[0] == first_word:
            return before, words[1:]
        before += words


async def test_a_full_disk_takes_nothing_back_and_nothing_in(tmp_path: Path) -> None:
    async with small_disk(tmp_path / "disk", "8m") as disk:
        async with writing(disk) as process:
            await said_until(process, "ready")
            disk.fill()
            answered, (readable,) = await said_until(process, "full")
            assert int(readable) == len(answered)
            disk.make_room()
            more, (count, gapless) = await said_until(process, "again")
            assert (int(count), gapless) == (len(answered) + len(more), "True")
            disk.fill()
            await process.kill()
        disk.make_room()
        async with writing(disk) as process:
            await said_until(process, "ready")
            disk.fill()
            later, (readable,) = await said_until(process, "full")
            assert int(readable) == int(count) + len(later)
            await process.kill()
