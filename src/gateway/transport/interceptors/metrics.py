"""Metrics: how many calls were answered with which code, and how long the unary ones took."""

from __future__ import annotations

import time
from typing import Protocol

from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class CallMeter(Protocol):
    """Where calls are counted."""

    def call_answered(self, method: str, code: str) -> None:
        """A call was answered with this code."""

    def call_took(self, method: str, seconds: float) -> None:
        """A unary call took so long."""


class Metrics:
    """Counts each call at its end."""

    def __init__(self, meter: CallMeter) -> None:
        self._meter = meter

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        meter, name = self._meter, rpc.name

        async def step(exchange: Exchange) -> None:
            begun = time.perf_counter()
            try:
                await proceed(exchange)
            finally:
                meter.call_answered(name, exchange.code)
                if not rpc.streams:
                    meter.call_took(name, time.perf_counter() - begun)

        return step
