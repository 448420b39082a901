"""Programs that the demo starts, and that end with it whatever happens."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.demo.broken import StoryBroken

_READY_WITHIN: Final = 30.0
_END_WITHIN: Final = 15.0
_LAST_LINES: Final = 5


@asynccontextmanager
async def child(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """Run a program of ours in a folder while the context lasts, and give what it says once it is ready. Its log lies
    in the folder.

    Raises:
        StoryBroken: it does not become ready.
    """
    log = folder / f"{Path(command[0]).name}.log"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("WAGATE_")}
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *_dying_with_us(),
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            cwd=folder,
            env={**ours, **environment},
            start_new_session=True,
        )
    try:
        yield await _ready(process, log)
    finally:
        await _end(process)


async def _ready(process: Process, log: Path) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 it was asked for
    try:
        async with asyncio.timeout(_READY_WITHIN):
            said: dict[str, Any] = orjson.loads(await process.stdout.readline())
            return said
    except (TimeoutError, orjson.JSONDecodeError):
        last = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
        raise StoryBroken(f"{log.stem} did not become ready. The end of its log:\n{last}") from None


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_END_WITHIN):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _dying_with_us() -> tuple[str, ...]:
    """What goes before a command whose process is to end when we do, where the machine has it. Code of ours between
    fork and exec could say the same, and would crash now and then beside gRPC's threads.
    """
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
