"""An exchange: one call on its way through the stages, and what they learn about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

from gateway.domain.access import Call, Caller
from gateway.transport.rpcs import Rpc

CORRELATION_ID = "x-correlation-id"

ServicerContext: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_CURRENT: ContextVar[Call] = ContextVar("call")


@dataclass(slots=True)
class Exchange:
    """One call. `given` is the request as it came (bytes, or a stream of messages), `request` the request once it is
    read; `answer` holds the bytes of a unary answer, and `code` the name of what it ends with. `deadline` is by the
    loop's clock.
    """

    rpc: Rpc
    context: ServicerContext
    given: Any
    correlation_id: str = ""
    authorization: str = ""
    deadline: float = 0.0
    has_deadline: bool = True
    caller: Caller | None = None
    request: Any = None
    answer: bytes = b""
    code: str = "OK"

    def admit(self, caller: Caller) -> None:
        """Let the caller in: from here on servicers can ask for the call."""
        self.caller = caller
        _CURRENT.set(Call(caller, self.correlation_id, self.deadline))


Step = Callable[[Exchange], Awaitable[None]]


class Stage(Protocol):
    """Something done around every call, between others."""

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        """The step that does it around `proceed`, for calls of one RPC."""


def current_call() -> Call:
    """The call that is being served in this task."""
    return _CURRENT.get()
