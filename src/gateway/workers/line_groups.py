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


class ReadAhead:
    """Reads a line ahead of who takes in what it tells; `count` is how much was read, from the beginning."""

    def __init__(self, line: Line) -> None:
        self.count = 0
        self._line = line
        self._told: asyncio.Queue[Incoming | Exception] = asyncio.Queue(_TOGETHER_AT_MOST)

    async def groups(self) -> AsyncGenerator[Sequence[Incoming]]:
        """What the line tells, in order: at each step all that it has told by then. Raises LineGone at its end."""
        reading = asyncio.create_task(self._read(), name="line reading ahead")
        try:
            while True:
                by_now = [await self._told.get(), *(self._told.get_nowait() for _ in range(self._told.qsize()))]
                if group := [item for item in by_now if not isinstance(item, Exception)]:
                    yield group
                if isinstance(by_now[-1], Exception):
                    raise by_now[-1]
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _read(self) -> None:
        try:
            async with aclosing(self._line.incoming()) as items:
                async for item in items:
                    self.count += 1
                    await self._told.put(item)
            await self._told.put(LineGone("it tells nothing more"))
        except Exception as end:  # noqa: BLE001  # raised where what was told is taken
            await self._told.put(end)


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
