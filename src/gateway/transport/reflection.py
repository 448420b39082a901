"""Reflection: lets tools such as grpcurl ask what is served, as v1 and v1alpha. It asks for the key like all else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

import grpc
from grpc_reflection.v1alpha import reflection_pb2 as pb
from grpc_reflection.v1alpha.reflection import aio

from gateway.transport.exchange import Exchange, ServicerContext, Stage
from gateway.transport.interceptors import compose
from gateway.transport.rpcs import Rpc

SERVICES: Final = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
_METHOD: Final = "ServerReflectionInfo"


def reflection(served: Iterable[str], around: Sequence[Stage]) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers of both versions, which differ in nothing but their names, for services of these names."""
    names = (*served, *SERVICES)
    return tuple(_handler(service, aio.ReflectionServicer(names), around) for service in SERVICES)


def _handler(service: str, servicer: aio.ReflectionServicer, around: Sequence[Stage]) -> grpc.GenericRpcHandler:
    rpc = Rpc(path=f"/{service}/{_METHOD}", serve=servicer.ServerReflectionInfo, streams=True)

    async def answer(exchange: Exchange) -> None:
        async for response in rpc.serve(exchange.given, exchange.context):
            await exchange.context.write(response)

    first = compose(rpc, around, answer)

    async def tell(requests: AsyncIterator[pb.ServerReflectionRequest], context: ServicerContext) -> None:
        await first(Exchange(rpc, context, requests))

    method: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
        tell, pb.ServerReflectionRequest.FromString, pb.ServerReflectionResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(service, {_METHOD: method})
