"""Processes that a test starts, and that end with it whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.stage.programs import ROOT

_PATIENCE: Final = 40.0
"""Seconds that a process has to end by itself: longer than any grace period of ours."""
_DYING_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
_COMPILED_ONCE: Final = {"PYTHONPYCACHEPREFIX": str(ROOT / "build" / "pycache")}
"""Where Python keeps what it compiled: without it, most of the time of a gateway's start is spent on compiling."""


def _inherited() -> dict[str, str]:
    ours = os.environ.items()
    return {name: value for name, value in ours if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith("WAGATE_")}


class Child:
    """One process of ours. What it says goes to `log`, except for what is read from `said`."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.returncode is None

    async def said(self) -> bytes:
        """The next line that it writes to stdout."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"it ended without a word: {self.last_words()}"
        return line

    async def lines(self) -> AsyncIterator[bytes]:
        """All lines that it still writes to stdout."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            yield line

    async def hear(self, line: bytes) -> None:
        """Write a line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        await self._process.stdin.drain()

    def hush(self) -> None:
        """Let it know that it will hear no more."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def dismiss(self) -> int:
        """Let it know that it will hear no more, and wait until it has ended; its exit status."""
        self.hush()
        async with asyncio.timeout(_PATIENCE):
            return await self.ended()

    async def ended(self) -> int:
        """Wait until it has ended; its exit status."""
        return await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, as an operator does; its exit status."""
        if self.runs:
            self._process.terminate()
        async with asyncio.timeout(_PATIENCE):
            return await self.ended()

    async def kill(self) -> None:
        """End it without a chance to do anything."""
        if self.runs:
            self._process.kill()
        await self.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, as long as it runs."""
        assert self.runs
        self._process.send_signal(number)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:]


@asynccontextmanager
async def child(*command: str | Path, log: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """Run a program; at the end of the context it is stopped, and killed if it will not stop."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *_DYING_WITH_US,
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            env={**_inherited(), **_COMPILED_ONCE, **(environment or {})},
            cwd=log.parent,
        )
    started = Child(process, log)
    try:
        yield started
        await started.stop()
    finally:
        await started.kill()
