"""Processes: who runs on the database, and whether its schema suits them."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from gateway.domain.processes import Process


class SchemaUnfit(Exception):
    """The database's schema is not what a process, or a step of a migration, needs; the message says what to do."""


class Processes(Protocol):
    """The register of processes."""

    async def note(self, process: Process, ttl: timedelta) -> None:
        """Note that a process runs, and will for this long.

        Raises:
            SchemaUnfit: a later version took away what it needs.
            StoreUnavailable: the database does not take it.
        """

    async def leave(self, process: Process) -> None:
        """Forget a process that ends.

        Raises:
            StoreUnavailable: the database does not take it.
        """

    async def running(self) -> list[Process]:
        """All that run.

        Raises:
            StoreUnavailable: the database does not answer.
        """
