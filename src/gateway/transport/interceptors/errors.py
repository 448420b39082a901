"""Errors: the one place in which what went wrong becomes a status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Never

import grpc
import structlog
from google.rpc import status_pb2
from grpc_status import rpc_status

from gateway.domain.errors import ErrorReason, GatewayError
from gateway.transport.exchange import CORRELATION_ID, Exchange, Step
from gateway.transport.mapping.reasons import Ruling
from gateway.transport.mapping.statuses import fault, status_of
from gateway.transport.rpcs import Rpc

logger = structlog.get_logger()


class Errors:
    """Turns a GatewayError into the code that the contract puts beside its reason, with details; anything unforeseen
    into INTERNAL without a word from below, which is logged. A call that its caller has left ends as cancelled,
    whether gRPC cancelled it or could not write.
    """

    def __init__(self, rulings: Mapping[int, Ruling]) -> None:
        self._rulings = rulings

    def around(self, _rpc: Rpc, proceed: Step) -> Step:
        async def step(exchange: Exchange) -> None:
            try:
                await proceed(exchange)
            except (asyncio.CancelledError, grpc.aio.InternalError):
                exchange.code = _code_of_leaving(exchange).name
                raise asyncio.CancelledError from None
            except Exception as error:  # noqa: BLE001 the last resort, and it is told
                await self._refuse(exchange, error)

        return step

    async def _refuse(self, exchange: Exchange, error: Exception) -> Never:
        ruling = self._rulings.get(error.reason) if isinstance(error, GatewayError) else None
        if isinstance(error, GatewayError) and ruling:
            await _end(exchange, ruling, status_of(error, ruling, exchange.correlation_id))
        logger.error("A call met a fault", method=exchange.rpc.name, exc_info=error)
        ruling = self._rulings[ErrorReason.ERROR_REASON_INTERNAL]
        await _end(exchange, ruling, fault(ruling, exchange.correlation_id))


async def _end(exchange: Exchange, ruling: Ruling, status: status_pb2.Status) -> Never:
    exchange.code = ruling.code.name
    said = rpc_status.to_status(status)
    trailers = (*said.trailing_metadata, (CORRELATION_ID, exchange.correlation_id))
    try:
        await exchange.context.abort(said.code, said.details, trailers)
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None


def _code_of_leaving(exchange: Exchange) -> grpc.StatusCode:
    overdue = exchange.has_deadline and asyncio.get_running_loop().time() >= exchange.deadline
    return grpc.StatusCode.DEADLINE_EXCEEDED if overdue else grpc.StatusCode.CANCELLED
