"""Waiting for what is true sooner or later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

SECONDS = 10.0
"""How long anything here may take at most."""

_LOOK_AGAIN_SECONDS = 0.005


async def eventually(condition: Callable[[], bool | Awaitable[bool]], seconds: float = SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        holds = condition()
        if await holds if isawaitable(holds) else holds:
            return
        assert loop.time() < deadline, "it did not come true in time"
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
