"""The reader: the one task of a process that waits for what Redis tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from redis.asyncio import BlockingConnectionPool, Connection
from redis.exceptions import ResponseError

from gateway.adapters.redis.connections import BLOCK_SECONDS, Command, connected, send
from gateway.adapters.redis.wire import FAULTS

Fields = dict[bytes, bytes]

_AT_ONCE: Final = 1000
_TRY_AGAIN_SECONDS: Final = 0.3

log = structlog.get_logger(__name__)


class Reader:
    """Reads bells from the streams of all shards, and the letters of an inbox, over a connection of its own.

    After a break it goes on where it was, as far as the streams still reach. `ready` is set once it reads, or has seen
    that it cannot yet.
    """

    def __init__(
        self,
        pool: BlockingConnectionPool,
        streams: list[str],
        inbox: str,
        *,
        on_bells: Callable[[Fields], None],
        on_letter: Callable[[Fields], None],
        done_with: Callable[[bytes], None],
    ) -> None:
        self._pool = pool
        self._inbox = inbox
        self._positions: dict[str, bytes | None] = dict.fromkeys(streams)
        self._positions[inbox] = b"0-0"
        self._on_bells = on_bells
        self._on_letter = on_letter
        self._done_with = done_with
        self._looks_anew = True
        self.ready = asyncio.Event()

    def look_anew(self) -> None:
        """The streams may have begun again: go on where they are, if that is before where they were."""
        self._looks_anew = True

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                connection = await connected(self._pool)
            except FAULTS:
                self.ready.set()
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
                continue
            try:
                await self._read(connection)
            except FAULTS as error:
                log.debug("What rings is not heard for a moment.", why=str(error))
                self._looks_anew = True
                self.ready.set()
            finally:
                await connection.disconnect(nowait=True)
                await self._pool.release(connection)
            await asyncio.sleep(_TRY_AGAIN_SECONDS)

    async def _read(self, connection: Connection) -> None:
        while True:
            if self._looks_anew:
                self._looks_anew = False
                await self._find_positions(connection)
                self.ready.set()
            await send(connection, [self._question()])
            answer = await connection.read_response()
            for stream, entries in answer or ():
                self._take(stream.decode(), entries)

    def _question(self) -> Command:
        positions = [position or b"0-0" for position in self._positions.values()]
        block = int(BLOCK_SECONDS * 1000)
        return ("XREAD", "COUNT", _AT_ONCE, "BLOCK", block, "STREAMS", *self._positions, *positions)

    def _take(self, stream: str, entries: list[Any]) -> None:
        hear = self._on_letter if stream == self._inbox else self._on_bells
        for entry_id, flat in entries:
            self._positions[stream] = entry_id
            hear(dict(zip(flat[::2], flat[1::2], strict=True)))
        if stream == self._inbox:
            self._done_with(entries[-1][0])

    async def _find_positions(self, connection: Connection) -> None:
        """Begin at the end of each stream of bells. One that ends before where we were has begun again."""
        for stream, position in self._positions.items():
            newest = await self._newest(connection, stream)
            if position is None or _order(newest) < _order(position):
                self._positions[stream] = newest

    @staticmethod
    async def _newest(connection: Connection, stream: str) -> bytes:
        await send(connection, [("XINFO", "STREAM", stream)])
        try:
            told = await connection.read_response()
        except ResponseError:
            return b"0-0"
        return bytes(dict(zip(told[::2], told[1::2], strict=True))[b"last-generated-id"])


def _order(entry_id: bytes) -> tuple[int, int]:
    moment, _, number = entry_id.partition(b"-")
    return int(moment), int(number)
