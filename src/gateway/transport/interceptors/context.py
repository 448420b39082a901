"""Context: who a call is, and until when its answer is wanted."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Final

import structlog
import uuid_utils

from gateway.transport.exchange import CORRELATION_ID, Exchange, Step
from gateway.transport.rpcs import Rpc

WITHOUT_DEADLINE: Final = 30.0
"""Seconds that a unary call gets if its caller sets no deadline."""
_USABLE: Final = re.compile(r"[!-~]{1,128}")


class Context:
    """Reads the metadata once. The correlation id is the caller's, if it is 1 to 128 printable characters without
    spaces, or made; it goes back in the trailing metadata, and is bound to all lines that the call logs.
    """

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        unless_said = math.inf if rpc.streams else WITHOUT_DEADLINE

        async def step(exchange: Exchange) -> None:
            _read_metadata(exchange)
            _read_deadline(exchange, unless_said)
            exchange.context.set_trailing_metadata(((CORRELATION_ID, exchange.correlation_id),))
            # The call's task is its own: what is bound here ends with it.
            structlog.contextvars.bind_contextvars(correlation_id=exchange.correlation_id)
            await proceed(exchange)

        return step


def _read_metadata(exchange: Exchange) -> None:
    for key, value in exchange.context.invocation_metadata() or ():
        if key == CORRELATION_ID and isinstance(value, str) and _USABLE.fullmatch(value):
            exchange.correlation_id = value
        elif key == "authorization" and isinstance(value, str):
            exchange.authorization = value
    exchange.correlation_id = exchange.correlation_id or str(uuid_utils.uuid7())


def _read_deadline(exchange: Exchange, unless_said: float) -> None:
    remaining: float | None = exchange.context.time_remaining()
    exchange.has_deadline = remaining is not None
    exchange.deadline = asyncio.get_running_loop().time() + (unless_said if remaining is None else remaining)
