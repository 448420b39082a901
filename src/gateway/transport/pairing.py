"""PairingService over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gateway.services.pairing import Pairing
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import pairing_service_pb2 as pb
from wagate.v1.pairing_service_pb2_grpc import PairingServiceServicer


class PairingServicer(PairingServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing

    def PairSession(
        self, request: pb.PairSessionRequest, _context: ServicerContext
    ) -> AsyncGenerator[pb.PairSessionResponse]:
        return self._pairing.pair(current_call(), request)

    async def RequestPairingCode(
        self, request: pb.RequestPairingCodeRequest, _context: ServicerContext
    ) -> pb.RequestPairingCodeResponse:
        return await self._pairing.request_code(current_call(), request)

    async def GetPairingQr(self, request: pb.GetPairingQrRequest, _context: ServicerContext) -> pb.GetPairingQrResponse:
        return await self._pairing.qr(current_call(), request)

    async def AnswerPairingChallenge(
        self, request: pb.AnswerPairingChallengeRequest, _context: ServicerContext
    ) -> pb.AnswerPairingChallengeResponse:
        return await self._pairing.answer(current_call(), request)

    async def CancelPairing(
        self, request: pb.CancelPairingRequest, _context: ServicerContext
    ) -> pb.CancelPairingResponse:
        return await self._pairing.cancel(current_call(), request)
