"""Logs: one line for each call."""

from __future__ import annotations

import time

import structlog

from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class Logs:
    """Writes method, code, milliseconds, tenant and, as bound by Context, the correlation id; never what was said."""

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        answered = structlog.get_logger().bind(method=rpc.name).info

        async def step(exchange: Exchange) -> None:
            begun = time.perf_counter()
            try:
                await proceed(exchange)
            finally:
                answered(
                    "Answered a call",
                    code=exchange.code.name,
                    ms=round((time.perf_counter() - begun) * 1000, 2),
                    tenant=exchange.caller.tenant_id if exchange.caller else "",
                )

        return step
