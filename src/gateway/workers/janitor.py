"""The janitor: ends what has waited too long."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.services.outbox import Outbox

_ROUND_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Janitor:
    """Expires messages at their give_up_time, within a second or so."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def run(self, stopping: asyncio.Event) -> None:
        """Make rounds until `stopping`."""
        while not stopping.is_set():
            try:
                expired = await self._outbox.expire_overdue()
                if expired:
                    log.info("Messages were given up.", count=expired)
            except StoreUnavailable:
                log.warning("The janitor waits for the database.")
            try:
                await asyncio.wait_for(stopping.wait(), _ROUND_SECONDS)
            except TimeoutError:
                continue
