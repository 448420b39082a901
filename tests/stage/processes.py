"""Processes that our processes started."""

import os
import select
from pathlib import Path


def children_of(process_id: int, program: str) -> list[int]:
    """The process ids of a process's children that run a program of this name."""
    found: list[int] = []
    for listing in Path(f"/proc/{process_id}/task").glob("*/children"):
        found += [int(child) for child in listing.read_text().split() if _program(int(child)) == program]
    return found


def ends(process_id: int, *, within: float) -> bool:
    """Wait until a process that is no child of ours has ended; whether it did in time."""
    try:
        watched = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], within)[0])
    finally:
        os.close(watched)


def _program(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
    except FileNotFoundError:
        return ""
