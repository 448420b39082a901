"""Works of which the first that ends is the end of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from gateway.ports.provider import LineGone


async def first_of(*works: Awaitable[object]) -> None:
    """Run works side by side until one ends; then end the others. A line that is gone is an end like another."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, LineGone | TimeoutError):
            raise error
