"""Health alone, for a process that serves nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import grpc

from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import StoreHealth
from gateway.transport.health import Health
from gateway.transport.listening import listen_at

_GRACE: Final = 1.0


class HealthServer:
    """Serves grpc.health.v1 at the address that `option` names, which is taken at once. It says NOT_SERVING while the
    store takes nothing.

    Raises:
        CannotListen: nobody can listen there.
    """

    def __init__(
        self,
        option: str,
        listen: str,
        store_health: Callable[[], StoreHealth],
        queue_health: Callable[[], QueueHealth],
    ) -> None:
        self._health = Health((), (), store_health, queue_health)
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._health.join(self._server)
        self.address = listen_at(self._server, option, listen)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve while the context lasts."""
        await self._health.start()
        await self._server.start()
        try:
            yield
        finally:
            await self._health.stop()
            await self._server.stop(_GRACE)
