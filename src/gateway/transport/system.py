"""SystemService over gRPC."""

from __future__ import annotations

from gateway.services.stats import Stats
from gateway.services.system import System
from gateway.services.workers import Workers
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import system_service_pb2 as pb
from wagate.v1.system_service_pb2_grpc import SystemServiceServicer


class SystemServicer(SystemServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, system: System, workers: Workers, stats: Stats) -> None:
        self._system = system
        self._workers = workers
        self._stats = stats

    async def GetServerInfo(
        self, request: pb.GetServerInfoRequest, _context: ServicerContext
    ) -> pb.GetServerInfoResponse:
        return await self._system.info(current_call(), request)

    async def ListWorkers(self, request: pb.ListWorkersRequest, _context: ServicerContext) -> pb.ListWorkersResponse:
        return await self._workers.list(current_call(), request)

    async def DrainWorker(self, request: pb.DrainWorkerRequest, _context: ServicerContext) -> pb.DrainWorkerResponse:
        return await self._workers.drain(current_call(), request)

    async def GetStats(self, request: pb.GetStatsRequest, _context: ServicerContext) -> pb.GetStatsResponse:
        return await self._stats.get(current_call(), request)
