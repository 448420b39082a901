"""Subscribers: streams of events that h2load holds open. It reads all that comes and looks at none of it; what it has
read, the kernel counts.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.benchmarks.load import HEADERS
from tests.stage.children import Child, child
from tests.stage.numbers import Numbers
from tests.stage.waiting import eventually
from wagate.v1.event_service_pb2 import StreamEventsRequest

_STREAMS_EACH: Final = 50
"""Of one connection, as a client with many subscribers has them."""
_OPEN_WITHIN: Final = 60.0
_READ_WITHIN: Final = 120.0
_PATH: Final = "/wagate.v1.EventService/StreamEvents"


class Subscribers:
    """So many streams. What is read counts from the moment at which nothing more came by itself."""

    def __init__(self, process: Child) -> None:
        self._process = process
        self._before = 0

    async def come_to_rest(self) -> None:
        """Wait until nothing is read for a second: all have been told what there was."""
        while self._before != self._read:
            self._before = self._read
            await asyncio.sleep(1)

    @property
    def _read(self) -> int:
        lines = Path(f"/proc/{self._process.process_id}/io").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("rchar:")))

    @property
    def seconds(self) -> float:
        """The processor's time that they took by now."""
        fields = Path(f"/proc/{self._process.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    async def have_read(self, count: int) -> float:
        """Wait until so many bytes have come, all together; when that was seen, by `time.perf_counter`."""
        await eventually(lambda: self._read - self._before >= count, _READ_WITHIN)
        return time.perf_counter()


@asynccontextmanager
async def subscribers(
    folder: Path, address: str, numbers: Numbers, count: int, request: StreamEventsRequest
) -> AsyncIterator[Subscribers]:
    """Open so many streams beside a few that there may be, and hold them while the context lasts."""
    packed = request.SerializeToString()
    body = folder / "subscribe.bin"
    body.write_bytes(struct.pack(">BI", 0, len(packed)) + packed)
    connections = -(-count // _STREAMS_EACH)
    streams = -(-count // connections)
    asked = ["-n", str(count), "-c", str(connections), "-m", str(streams), "-d", str(body), *HEADERS]
    async with child("h2load", *asked, f"http://{address}{_PATH}", log=folder / "subscribers.log") as process:
        await _streams(numbers, lambda open_now: open_now >= count)
        those = Subscribers(process)
        await those.come_to_rest()
        yield those
        await process.kill()
    await _streams(numbers, lambda open_now: open_now < count)


async def _streams(numbers: Numbers, are_so_many: Callable[[float], bool]) -> None:
    async def seen() -> bool:
        return are_so_many((await numbers.now())["wagate_streams"])

    await eventually(seen, _OPEN_WITHIN)
