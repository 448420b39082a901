"""Connections to Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from redis.asyncio import BlockingConnectionPool, Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

Command = tuple[str | bytes | int, ...]

PATIENCE_SECONDS: Final = 3.0
"""Redis answers within this, or is away."""
BLOCK_SECONDS: Final = 1.0
"""A read waits for so long that something comes: much less than our patience."""
_AT_MOST: Final = 4
_RESP: Final = 2


def connection_pool(url: str) -> BlockingConnectionPool:
    """A pool of the few connections that a process needs. Nothing is tried again behind anybody's back: a question told
    twice would be asked twice.
    """
    return BlockingConnectionPool.from_url(
        url,
        max_connections=_AT_MOST,
        timeout=PATIENCE_SECONDS,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=_RESP,
        client_name="wagate",
    )


async def connected(pool: BlockingConnectionPool) -> Connection:
    """A connection of the pool that works, as far as can be seen from here."""
    connection: Connection = await pool.get_connection()  # type: ignore[no-untyped-call]
    if _is_cancelled():
        await pool.release(connection)
        raise asyncio.CancelledError
    return connection


async def send(connection: Connection, commands: Sequence[Command]) -> None:
    """Send commands, whose replies are to be read next."""
    await connection.send_packed_command(connection.pack_commands(commands))
    if _is_cancelled():
        raise asyncio.CancelledError


def _is_cancelled() -> bool:
    """Whether this task was cancelled. The client uses `wait_for`, which before Python 3.12 may swallow that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
