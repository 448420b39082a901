"""Leases: one owner per session, told by a fence that only grows."""

from datetime import timedelta
from typing import Protocol

from gateway.domain.leases import Lease


class Leases(Protocol):
    """Rows that say who owns what, by the store's clock."""

    async def claim(self, owner_id: str, *, limit: int, ttl: timedelta) -> list[Lease]:
        """Take sessions that are wanted and have no owner, or one whose lease ran out, with the next fence."""

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        """Renew all leases of an owner that have not run out, and tell which ones it holds now."""

    async def end_all(self) -> None:
        """End every lease, whoever holds it: for a process that alone works on the store, at its start, so that what an
        earlier one held need not run out first.
        """

    async def release(self, lease: Lease) -> None:
        """Give one back, so that another can take it at once. One that is lost already is no error."""
