"""Deadline: a unary call that set none is ended all the same."""

from __future__ import annotations

import asyncio

from gateway.domain.errors import OutcomeOpen
from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class Deadline:
    """Ends what outlasts the default deadline that Context gave. The deadlines of callers are kept by gRPC."""

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        if rpc.streams:
            return proceed

        async def step(exchange: Exchange) -> None:
            if exchange.has_deadline:
                await proceed(exchange)
                return
            timeout = asyncio.timeout_at(exchange.deadline)
            try:
                async with timeout:
                    await proceed(exchange)
            except TimeoutError:
                if timeout.expired():
                    raise OutcomeOpen("The call set no deadline and took too long: its outcome is open.") from None
                raise

        return step
