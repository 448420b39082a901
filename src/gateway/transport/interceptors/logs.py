"""Logs: one line for each call."""

from __future__ import annotations

import time

from gateway.observability.calls import call_log
from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class Logs:
    """Writes method, code, milliseconds, tenant and correlation id; never what was said."""

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        answered, name = call_log(), rpc.name

        async def step(exchange: Exchange) -> None:
            begun = time.perf_counter()
            try:
                await proceed(exchange)
            finally:
                answered(
                    method=name,
                    code=exchange.code,
                    ms=round((time.perf_counter() - begun) * 1000, 2),
                    tenant=exchange.caller.tenant_id if exchange.caller else "",
                    correlation_id=exchange.correlation_id,
                )

        return step
