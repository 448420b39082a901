"""The census taker: counts what there is, every few seconds."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.services.counting import Counting

_ROUND_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class CensusTaker:
    """Keeps the numbers of sessions and outboxes fresh."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping`."""
        while not stopping.is_set():
            try:
                await self._counting.count()
            except StoreUnavailable:
                log.warning("Nothing can be counted: the database does not answer.")
            try:
                await asyncio.wait_for(stopping.wait(), _ROUND_SECONDS)
            except TimeoutError:
                continue
