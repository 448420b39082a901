"""Patience: when the next line of a session is tried."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.ports.queue import wish_bell
from gateway.services.lines import LINE_LOST
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.wish import Wish

_LOOK_AT_WISH_SECONDS: Final = 30.0
_WAIT_FOR_STORE_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Patience:
    """Waits, unless something else is wanted of the session meanwhile."""

    def __init__(self, lease: Lease, tools: OwnerTools) -> None:
        self._lease = lease
        self._tools = tools

    async def pause(self, wish: Wish, seconds: float) -> None:
        """Wait for so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wish_changed(wish), seconds)

    async def wish_changed(self, wish: Wish) -> None:
        """Wait until something else is wanted."""
        with self._tools.queue.listen(wish_bell(self._lease.session_uid)) as ears:
            while True:
                try:
                    if not wish.holds_for(await self._tools.lines.look(self._lease)):
                        return
                except StoreUnavailable:
                    log.warning("The owner waits for the database.", session_uid=self._lease.session_uid)
                await ears.heard(_LOOK_AT_WISH_SECONDS)

    async def rest(self) -> None:
        """Wait as long as a session rests that failed again and again, and as somebody wants a line of it."""
        session = await self._tools.lines.look(self._lease)
        wish = Wish.of(session)
        if session.rest_until_time is not None and wish.wants_line:
            seconds = (session.rest_until_time - datetime.now(UTC)).total_seconds()
            if seconds > 0:
                await self.pause(wish, seconds)

    async def before_next_line(self, wish: Wish, seconds: float, *, was_fault: bool) -> None:
        """Say that there is no line, and wait for so long. Where that is a fault of the gateway, it counts; after some
        in a row the session rests instead, and says so.
        """
        if was_fault and (await self._tools.faults.failed(self._lease)).suspend_time is not None:
            log.warning("A session rests after repeated faults.", session_uid=self._lease.session_uid)
            await self.rest()
            return
        await self._say_none(seconds)
        await self.pause(wish, seconds)

    async def say_lapsed(self) -> None:
        """Say that there is no line, as the lease was not renewed in time; if the database does not answer either,
        nobody reads what it says.
        """
        log.warning("A line was closed, as its lease was not renewed.", session_uid=self._lease.session_uid)
        with suppress(StoreUnavailable):
            await self._say_none(0.0)

    async def _say_none(self, seconds: float) -> None:
        next_time = datetime.now(UTC) + timedelta(seconds=seconds)
        await self._tools.lines.changed(self._lease, LineChanged(LineState.RECONNECTING, LINE_LOST, next_time))

    async def until_proven(self, settled: asyncio.Event, proven: asyncio.Event) -> None:
        """Note that a line is of use, once it has been for a while; then wait for ever."""
        await settled.wait()
        await asyncio.sleep(self._tools.proven_after.total_seconds())
        proven.set()
        while not await self._noted():  # noqa: ASYNC110  # nobody rings when the database is back
            await asyncio.sleep(_WAIT_FOR_STORE_SECONDS)
        await asyncio.Event().wait()

    async def _noted(self) -> bool:
        try:
            if (await self._tools.lines.look(self._lease)).fault_count:
                await self._tools.faults.worked(self._lease)
        except StoreUnavailable:
            return False
        return True
