"""Processes that are not ours: what a gateway started."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


def engine_of(process_id: int) -> int:
    """The process id of a gateway's engine, or of its first."""
    engines = engines_of(process_id)
    assert engines, f"process {process_id} has no engine"
    return engines[0]


def engines_of(process_id: int) -> list[int]:
    """The process ids of a gateway's engines, the first one first."""
    names = {child: Path(f"/proc/{child}/comm").read_text().strip() for child in children_of(process_id)}
    return sorted(child for child, name in names.items() if name == "wagate-engine")


def children_of(process_id: int) -> list[int]:
    """The processes that a process started, and that still run."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def resident(process_id: int) -> int:
    """How much memory a process has of the machine's, bytes."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) * 1024


def proportional(process_id: int) -> int:
    """The same, where each page counts by how many processes share it: sums over those that share much are right.
    One that has ended by now has none.
    """
    try:
        pages = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(next(line.split()[1] for line in pages.splitlines() if line.startswith("Pss:"))) * 1024


def is_stopped(process_id: int) -> bool:
    """Whether a process is stopped, as by SIGSTOP."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def program_of(process_id: int) -> Path:
    """The program that a process runs."""
    return Path(f"/proc/{process_id}/exe").readlink()


async def gone(process_id: int, *, within: float) -> None:
    """Wait until a process has ended."""
    try:
        process = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(within):
            await ended.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)
