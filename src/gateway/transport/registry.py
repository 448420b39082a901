"""The registry: which path is answered by what, for one server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import grpc

from gateway.transport.answers import answering
from gateway.transport.exchange import Exchange, ServicerContext, Stage, Step
from gateway.transport.interceptors import compose
from gateway.transport.rpcs import Rpc

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Registry(grpc.GenericRpcHandler):
    """Finds the handler of a path with one look. Requests and answers pass gRPC as bytes: the stages read them."""

    def __init__(self, rpcs: Iterable[Rpc], around: Sequence[Stage], slow_after: float) -> None:
        self._by_path = {rpc.path: _handler(rpc, compose(rpc, around, answering(rpc, slow_after))) for rpc in rpcs}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> _Handler | None:
        return self._by_path.get(handler_call_details.method)


def _handler(rpc: Rpc, first: Step) -> _Handler:
    async def answer(given: bytes, context: ServicerContext) -> bytes:
        exchange = Exchange(rpc, context, given)
        await first(exchange)
        return exchange.answer

    async def tell(given: bytes, context: ServicerContext) -> None:
        await first(Exchange(rpc, context, given))

    if rpc.streams:
        return grpc.unary_stream_rpc_method_handler(tell)
    return grpc.unary_unary_rpc_method_handler(answer)
