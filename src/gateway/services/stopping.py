"""Waiting, until the server is being stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from gateway.domain.errors import ShuttingDown

T = TypeVar("T")


async def unless_stopped(stopping: asyncio.Event, work: Awaitable[T]) -> T:
    """Wait for work.

    Raises:
        ShuttingDown: the server is being stopped; the work is cancelled, and at its end.
    """
    working = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ShuttingDown
        return working.result()
    finally:
        working.cancel()
        stopped.cancel()
        await asyncio.wait({working, stopped})
