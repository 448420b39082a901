"""The demo: how long a newcomer waits for it, from a clean clone on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.stage.programs import ROOT


async def measure() -> Figure:
    """Clone what is committed, and run `make demo` there. Downloads that the machine has cached stay cached."""
    with tempfile.TemporaryDirectory(prefix="wagate-demo-") as folder:
        clone = Path(folder) / "wagate"
        await _run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone), folder=Path(folder))
        begun = time.perf_counter()
        await _run("make", "demo", folder=clone)
        took = time.perf_counter() - begun
    return Figure("make demo on a clean clone", took, "s", runs=[took])


async def _run(*command: str, folder: Path) -> None:
    outer = Path(sys.executable).parent
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != outer)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=PIPE, stderr=STDOUT, env={**os.environ, "PATH": path}
    )
    said, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{said.decode()[-4000:]}")
