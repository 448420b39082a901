"""SessionService over gRPC."""

from __future__ import annotations

from gateway.services.sessions import Sessions
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import session_service_pb2 as pb
from wagate.v1.session_service_pb2_grpc import SessionServiceServicer


class SessionServicer(SessionServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def CreateSession(
        self, request: pb.CreateSessionRequest, _context: ServicerContext
    ) -> pb.CreateSessionResponse:
        return await self._sessions.create(current_call(), request)

    async def GetSession(self, request: pb.GetSessionRequest, _context: ServicerContext) -> pb.GetSessionResponse:
        return await self._sessions.get(current_call(), request)

    async def ListSessions(self, request: pb.ListSessionsRequest, _context: ServicerContext) -> pb.ListSessionsResponse:
        return await self._sessions.list(current_call(), request)

    async def UpdateSession(
        self, request: pb.UpdateSessionRequest, _context: ServicerContext
    ) -> pb.UpdateSessionResponse:
        return await self._sessions.update(current_call(), request)

    async def DeleteSession(
        self, request: pb.DeleteSessionRequest, _context: ServicerContext
    ) -> pb.DeleteSessionResponse:
        return await self._sessions.delete(current_call(), request)

    async def StartSession(self, request: pb.StartSessionRequest, _context: ServicerContext) -> pb.StartSessionResponse:
        return await self._sessions.start(current_call(), request)

    async def StopSession(self, request: pb.StopSessionRequest, _context: ServicerContext) -> pb.StopSessionResponse:
        return await self._sessions.stop(current_call(), request)

    async def RestartSession(
        self, request: pb.RestartSessionRequest, _context: ServicerContext
    ) -> pb.RestartSessionResponse:
        return await self._sessions.restart(current_call(), request)

    async def LogoutSession(
        self, request: pb.LogoutSessionRequest, _context: ServicerContext
    ) -> pb.LogoutSessionResponse:
        return await self._sessions.logout(current_call(), request)
