"""The names that a process serves, as Redis knows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.adapters.redis.connections import Command
from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.scripts import LEAVE, REGISTER, RENEW
from gateway.adapters.redis.wire import NotDone, Unanswered, Wire

_KEPT_MILLISECONDS: Final = 300_000
_RENEW_SECONDS: Final = 60.0
_AT_ONCE: Final = 500


@dataclass(eq=False, slots=True)
class _Served:
    name: str
    rank: int


class Names:
    """Keeps names in Redis while they are served, and again once Redis forgot them."""

    def __init__(self, keys: Keys, process: str, wire: Wire) -> None:
        self._keys = keys
        self._process = process
        self._wire = wire
        self._served: set[_Served] = set()

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        """Serve a name while the context lasts. If Redis is away, it learns of it when it is back."""
        served = _Served(name, time.time_ns() // 1000)
        self._served.add(served)
        try:
            with suppress(NotDone, Unanswered):
                served.rank = int(await self._wire.tell(self._registration(served)))
            yield
        finally:
            self._served.discard(served)
            self._wire.put(("EVAL", LEAVE, 1, self._keys.server(name), f"{served.rank} {self._process}"))

    def renew(self) -> None:
        """Tell Redis all names again."""
        served = iter(list(self._served))
        while some := list(islice(served, _AT_ONCE)):
            names = [self._keys.server(one.name) for one in some]
            ranks = [one.rank for one in some]
            self._wire.put(("EVAL", RENEW, len(some), *names, self._process, _KEPT_MILLISECONDS, *ranks))

    async def run(self) -> None:
        """Renew all names every now and then, until cancelled."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            self.renew()

    def _registration(self, served: _Served) -> Command:
        name = self._keys.server(served.name)
        return ("EVAL", REGISTER, 1, name, served.rank, self._process, _KEPT_MILLISECONDS)
