"""A bare server: grpc.aio, which reads each request and answers with it. What a call costs at least.

`python -m tests.benchmarks.echo ADDRESS LOOP` serves until it is ended, on asyncio's own loop or on uvloop.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final

import grpc
import uvloop

from wagate.v1.message_service_pb2 import SendMessageRequest

PATH = "/benchmarks.Echo/Echo"


async def _echo(
    request: SendMessageRequest, _context: grpc.aio.ServicerContext[SendMessageRequest, SendMessageRequest]
) -> SendMessageRequest:
    return request


class _Echo(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if handler_call_details.method != PATH:
            return None
        return grpc.unary_unary_rpc_method_handler(
            _echo, SendMessageRequest.FromString, SendMessageRequest.SerializeToString
        )


async def serve(address: str) -> None:
    """Serve, and say so on stdout."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Echo(),))
    server.add_insecure_port(address)
    await server.start()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await server.wait_for_termination()


_LOOPS: Final[dict[str, Callable[..., None]]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}

if __name__ == "__main__":
    _LOOPS[sys.argv[2]](serve(sys.argv[1]))
