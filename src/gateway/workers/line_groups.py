"""What a line has told by now, taken together: many facts that share a commit cost each less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Final

from gateway.domain.lines import Fact, MessageArrived, ReceiptArrived
from gateway.ports.provider import Incoming, Line, LineGone

_TOGETHER_AT_MOST: Final = 64


async def told_together(line: Line) -> AsyncGenerator[Sequence[Incoming]]:
    """What the line tells, in order: at each step all that it has told by then. Raises LineGone at its end."""
    told: asyncio.Queue[Incoming | Exception] = asyncio.Queue(_TOGETHER_AT_MOST)
    reading = asyncio.create_task(_read(line, told), name="line reading ahead")
    try:
        while True:
            by_now = [await told.get(), *(told.get_nowait() for _ in range(told.qsize()))]
            if group := [item for item in by_now if not isinstance(item, Exception)]:
                yield group
            if isinstance(by_now[-1], Exception):
                raise by_now[-1]
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def _read(line: Line, told: asyncio.Queue[Incoming | Exception]) -> None:
    try:
        async with aclosing(line.incoming()) as items:
            async for item in items:
                await told.put(item)
        await told.put(LineGone("it tells nothing more"))
    except Exception as end:  # noqa: BLE001  # raised where what was told is taken
        await told.put(end)


def is_repeated(fact: Fact) -> bool:
    """Whether WhatsApp tells it again after it was refused, with all that follows."""
    return isinstance(fact, MessageArrived | ReceiptArrived)


def runs_of_messages(group: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    """The same in parts that can be stored together: messages behind each other, and all else alone."""
    for are_messages, items in groupby(group, lambda item: isinstance(item.fact, MessageArrived)):
        if are_messages:
            yield list(items)
        else:
            yield from ([item] for item in items)
