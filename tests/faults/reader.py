"""A reader of the log as a process of its own: `python -m tests.faults.reader ADDRESS[,ADDRESS…] FILE`.

It writes a line for each event, its id and its cursor, and goes on after the last line that is whole. So it may be
killed at any instant. It reads from the oldest event on, and does not end by itself. Where a stream ends, it goes on at
the next address. As chance will have it, it takes events one by one, or many in a frame.
"""

from __future__ import annotations

import sys
import time
from itertools import cycle
from pathlib import Path
from typing import IO, Final

import grpc

from wagate.v1.event_service_pb2 import StreamEventsRequest
from wagate.v1.event_service_pb2_grpc import EventServiceStub

_COME_BACK_SECONDS: Final = 0.05
_MOST: Final = (1, 100)


def lines_of(file: Path) -> list[tuple[str, str]]:
    """The id and the cursor of each event that was written down whole."""
    whole, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
    return [(event_id, cursor) for event_id, _, cursor in (line.partition(" ") for line in whole.splitlines())]


def _read_on(stub: EventServiceStub, cursor: str, most: int, book: IO[str]) -> str:
    """Write down what comes after a cursor, so many in a frame, until the stream ends; the last cursor."""
    request = StreamEventsRequest(after_cursor=cursor) if cursor else StreamEventsRequest(earliest=True)
    request.max_events_per_frame = most
    try:
        for frame in stub.StreamEvents(request):
            for event in [frame.event] if frame.HasField("event") else frame.events.events:
                book.write(f"{event.event_id} {event.cursor}\n")
                book.flush()
                cursor = event.cursor
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
    return cursor


def main(addresses: list[str], file: Path) -> None:
    """Read for ever."""
    known = lines_of(file)
    cursor = known[-1][1] if known else ""
    with file.open("a") as book:
        book.truncate(sum(len(event_id) + len(cursor) + 2 for event_id, cursor in known))
        for stub in cycle([EventServiceStub(grpc.insecure_channel(address)) for address in addresses]):
            cursor = _read_on(stub, cursor, _MOST[len(known) % len(_MOST)], book)
            time.sleep(_COME_BACK_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1].split(","), Path(sys.argv[2]))
