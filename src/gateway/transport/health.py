"""Health, as `grpc.health.v1` asks for it: of each service, and under the empty name of the server as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import grpc
import structlog
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import StoreHealth
from gateway.transport.rpcs import writes

log = structlog.get_logger()

_LOOK_SECONDS: Final = 0.5
_WHOLE: Final = ""
QUEUE: Final = "wagate.queue"
"""Under this name health says whether bells ring in all processes. Without them all is done, but later."""
_Status = health_pb2.HealthCheckResponse


class Health:
    """Says SERVING of every service from `start` on. While the store takes nothing, those services that write do not
    serve, and neither does the server as a whole. How the queue fares is told under a name of its own, and changes
    nothing else.
    """

    def __init__(
        self,
        services: Iterable[ServiceDescriptor],
        others: Iterable[str],
        store: Callable[[], StoreHealth],
        queue: Callable[[], QueueHealth],
    ) -> None:
        self._servicer = health.aio.HealthServicer()
        self._names = list(others)
        self._writing = [_WHOLE]
        for service in services:
            (self._writing if writes(service) else self._names).append(service.full_name)
        self._store = store
        self._queue = queue
        self._watching: asyncio.Task[None] | None = None

    def join(self, server: grpc.aio.Server) -> None:
        """Be served by a server that has not started yet."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Say that all is served, and from then on how store and queue fare."""
        await self._say(True, [*self._names, *self._writing, QUEUE])
        self._watching = asyncio.create_task(self._watch(), name="health")

    async def stop(self) -> None:
        """Say for good that nothing is served."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self._servicer.enter_graceful_shutdown()

    async def _watch(self) -> None:
        serving, ringing = True, True
        while True:
            if self._queue().serving != ringing:
                ringing = not ringing
                await self._say(ringing, [QUEUE])
            store = self._store()
            if store.serving != serving:
                serving = not serving
                if serving:
                    log.info("The store takes what is written again.")
                else:
                    log.error("The store takes nothing.", why=store.message)
                await self._say(serving, self._writing)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _say(self, serving: bool, names: Iterable[str]) -> None:
        for name in names:
            await self._servicer.set(name, _Status.SERVING if serving else _Status.NOT_SERVING)
