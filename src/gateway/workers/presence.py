"""Presence: a process says every few seconds that it runs, so that nobody takes away what its version needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.processes import Process
from gateway.ports.processes import Processes

_EVERY_SECONDS: Final = 10.0
_TTL: Final = timedelta(seconds=45)
"""Three signs of life may be lost, and the fourth be late."""

log = structlog.get_logger(__name__)


class Presence:
    """One process in the register."""

    def __init__(self, processes: Processes, process: Process, *, every_seconds: float = _EVERY_SECONDS) -> None:
        self._processes = processes
        self._process = process
        self._every_seconds = every_seconds

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Be in the register while the context lasts. A later version may take away what this one needs while the
        database cannot be reached from here: then the context ends.

        Raises:
            SchemaUnfit: what this version needs is gone.
            StoreUnavailable: the database does not answer at first.
        """
        await self._processes.note(self._process, _TTL)
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep(), name="presence")
            try:
                yield
            finally:
                keeping.cancel()
                await self._leave()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                await self._processes.note(self._process, _TTL)
            except StoreUnavailable:
                log.warning("The database does not hear that this process runs.")

    async def _leave(self) -> None:
        try:
            await self._processes.leave(self._process)
        except StoreUnavailable:
            log.warning("The database does not hear that this process ends; it finds out by itself.")
