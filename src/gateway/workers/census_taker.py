"""The census taker: counts what there is, every few seconds."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.services.counting import Counting
from gateway.services.duties import Duties

_ROUND_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class CensusTaker:
    """Keeps the numbers of sessions and outboxes fresh. One at a time counts a store, so that sums over all workers are
    right.
    """

    def __init__(self, duties: Duties, counting: Counting) -> None:
        self._duties = duties
        self._counting = counting

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping`."""
        while not stopping.is_set():
            try:
                if await self._duties.are_mine():
                    await self._counting.count()
                else:
                    self._counting.leave_to_another()
            except StoreUnavailable:
                log.warning("Nothing can be counted: the database does not answer.")
            try:
                await asyncio.wait_for(stopping.wait(), _ROUND_SECONDS)
            except TimeoutError:
                continue
