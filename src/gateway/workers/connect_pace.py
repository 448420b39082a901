"""The pace at which a worker opens lines: its part of what the whole fleet may."""

from __future__ import annotations

import asyncio


class ConnectPace:
    """Lets one after the other have its turn. Unless `share` was called, nobody waits."""

    def __init__(self) -> None:
        self._gap = 0.0
        self._next = 0.0

    def share(self, rate: float, workers: int) -> None:
        """The fleet opens `rate` lines in a second, and so many workers share that alike."""
        self._gap = max(workers, 1) / rate

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now)
        self._next = mine + self._gap
        if mine > now:
            await asyncio.sleep(mine - now)
