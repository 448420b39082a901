"""Readers of the log that are killed, and go on where they were."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.faults.processes import child_of, kill, target
from tests.faults.reader import lines_of
from tests.stage.children import Child, child
from tests.stage.programs import ROOT
from tests.stage.waiting import eventually


class Reader:
    """A reader, and the file that it writes."""

    def __init__(self, addresses: Sequence[str], file: Path) -> None:
        self._addresses = ",".join(addresses)
        self._file = file
        self._running = AsyncExitStack()
        self._process: Child

    async def start(self) -> None:
        """Let it read on."""
        python = Path(sys.executable)
        command = (python, "-m", "tests.faults.reader", self._addresses, str(self._file))
        started = child(*command, log=self._file.with_suffix(".log"), environment={"PYTHONPATH": str(ROOT)})
        self._process = await self._running.enter_async_context(started)
        await eventually(lambda: target(self._process.process_id).program == str(python.resolve()))

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        process_id = self._process.process_id
        await kill(child_of(os.getpid(), process_id, Path(sys.executable)))
        await self._process.ended()
        await self._running.aclose()

    async def close(self) -> None:
        """End it for good."""
        await self._process.kill()
        await self._running.aclose()

    def told(self) -> list[str]:
        """The ids of the events that it was told, in order."""
        return [event_id for event_id, _ in lines_of(self._file)]

    def cursor(self) -> str:
        """Where it is in the log; empty before its first event."""
        read = lines_of(self._file)
        return read[-1][1] if read else ""

    def last_words(self) -> str:
        """What it complained of."""
        return self._process.last_words()


@asynccontextmanager
async def reading(addresses: Sequence[str], file: Path) -> AsyncIterator[Reader]:
    """Have a reader for as long as the context lasts."""
    reader = Reader(addresses, file)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.close()
