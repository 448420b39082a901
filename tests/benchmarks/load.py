"""Load: h2load, which costs the machine a fifth of what a client in Python costs.

One process of h2load sends one body, so each body gets a process of its own, with one connection. h2load looks at HTTP
alone: that each call's grpc-status was OK has to be seen at the server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import Message

from tests.benchmarks.figures import percentile

_PACKAGE: Final = "nghttp2-client"
HEADERS: Final = ("-H", "content-type: application/grpc", "-H", "te: trailers")


@dataclass(frozen=True)
class Round:
    """One round of load. `rate` is in replies a second, while all callers called; `milliseconds` is each call's."""

    replies: int
    rate: float
    milliseconds: list[float]

    @property
    def p50(self) -> float:
        """What half of the calls took at most, milliseconds."""
        return percentile(self.milliseconds, 0.5)


async def need_h2load() -> None:
    """Have h2load, or end with a sentence."""
    if shutil.which("h2load"):
        return
    sys.stderr.write(f"Installing h2load (Debian's {_PACKAGE})\n")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    for command in (["update"], ["install", "-y", _PACKAGE]):
        with_apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *command]
        try:
            installing = await asyncio.create_subprocess_exec(*with_apt, stdout=PIPE, stderr=STDOUT)
        except FileNotFoundError:
            break
        await installing.communicate()
    if not shutil.which("h2load"):
        sys.exit(f"h2load is needed to measure, and could not be installed: install {_PACKAGE}, then try again.")


async def load(folder: Path, url: str, bodies: Sequence[Message], *, streams: int, calls: int) -> Round:
    """Send each body `calls` times, all bodies at once, `streams` calls of each at a time."""
    logs = [folder / f"load-{place}.log" for place in range(len(bodies))]
    async with asyncio.TaskGroup() as group:
        for log, body in zip(logs, bodies, strict=True):
            group.create_task(_send(url, body, log, streams=streams, calls=calls))
    return _round([_calls(log) for log in logs])


async def _send(url: str, body: Message, log: Path, *, streams: int, calls: int) -> None:
    log.unlink(missing_ok=True)
    file = log.with_suffix(".bin")
    packed = body.SerializeToString()
    file.write_bytes(struct.pack(">BI", 0, len(packed)) + packed)
    command = ["h2load", "-n", str(calls), "-c", "1", "-m", str(streams), "-d", str(file), *HEADERS]
    process = await asyncio.create_subprocess_exec(*command, "--log-file", str(log), url, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    wanted = f"{calls} succeeded, 0 failed, 0 errored, 0 timeout"
    if process.returncode or wanted not in said.decode():
        sys.exit(f"h2load did not get every reply:\n{said.decode()}")


@dataclass(frozen=True)
class _Call:
    """One call; moments are in seconds."""

    begun: float
    ended: float


def _calls(log: Path) -> list[_Call]:
    rows = (line.split("\t") for line in log.read_text().splitlines())
    return [_Call(int(begun) / 1e6, (int(begun) + int(took)) / 1e6) for begun, _status, took in rows]


def _round(by_body: Sequence[Sequence[_Call]]) -> Round:
    """What came of a round; its rate is taken while every process of it called."""
    begun = max(calls[0].begun for calls in by_body)
    ended = min(calls[-1].ended for calls in by_body)
    if ended <= begun:
        sys.exit("Some callers ended before others began: the machine is too busy to measure.")
    calls = [call for calls in by_body for call in calls]
    within = sum(begun <= call.ended <= ended for call in calls)
    return Round(len(calls), within / (ended - begun), [(call.ended - call.begun) * 1000 for call in calls])
