"""SystemService over gRPC."""

from __future__ import annotations

from gateway.services.system import System
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import system_service_pb2 as pb
from wagate.v1.system_service_pb2_grpc import SystemServiceServicer


class SystemServicer(SystemServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def GetServerInfo(
        self, request: pb.GetServerInfoRequest, _context: ServicerContext
    ) -> pb.GetServerInfoResponse:
        return await self._system.info(current_call(), request)
