"""A connection over which calls are lost: on their way there, or on their way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from grpc import aio

from tests.stage.faulty.plan import Fault, Plan


class FaultyCalls(aio.UnaryUnaryClientInterceptor):
    """Lets calls go wrong by the name of their method: they end as those of a connection that broke."""

    def __init__(self) -> None:
        self.plan = Plan()

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: aio.ClientCallDetails, request: Any
    ) -> Any:
        method: Any = client_call_details.method  # bytes, whatever its annotation says
        fault = self.plan.next(method.decode().rpartition("/")[2])
        if fault is Fault.NOT_DONE:
            raise _broken()
        call = await continuation(client_call_details, request)
        if fault is Fault.ANSWER_LOST:
            await call
            raise _broken()
        return call


def _broken() -> aio.AioRpcError:
    return aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, aio.Metadata(), aio.Metadata(), "Socket closed")
