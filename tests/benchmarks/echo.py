"""A bare server: grpc.aio on uvloop, which reads each request and answers with it. What a call costs at least.

`python -m tests.benchmarks.echo ADDRESS` serves until it is ended.
"""

from __future__ import annotations

import sys
from typing import Any

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


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
