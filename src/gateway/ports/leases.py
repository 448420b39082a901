"""Leases: one owner per session, told by a fence that only grows."""

from datetime import timedelta
from typing import Protocol

from gateway.domain.leases import Lease
from gateway.domain.workers import Roll, Worker


class Leases(Protocol):
    """Rows that say who owns what, and who is at work, by the store's clock.

    A lease lasts for `ttl` from a moment after the call that claimed or renewed it was begun: an owner that counts from
    before its call never believes in a lease that has run out.
    """

    async def look(self) -> Roll:
        """Who is at work, and what there is to claim."""

    async def claim(
        self, owner_id: str, *, limit: int, ttl: timedelta, free_for: timedelta = timedelta(0)
    ) -> list[Lease]:
        """Take sessions that are wanted and have no owner, or one whose lease ran out, with the next fence; only such
        as have been free for so long. Passes over those that somebody else is just taking.
        """

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        """Renew all leases of an owner that have not run out, and tell which ones it holds now."""

    async def check_in(self, worker: Worker, ttl: timedelta) -> tuple[list[Lease], Roll]:
        """Renew all leases of a worker, in one statement, and note with it that the worker lives, what it owns, and
        whether it drains. Tells what it holds now, and who is at work; whether a drain is wanted stays as it was.
        """

    async def leave(self, worker_id: str) -> None:
        """Forget a worker that ends and owns nothing any more."""

    async def end_all(self) -> None:
        """End every lease, whoever holds it, and forget all workers: for a process that alone works on the store, at
        its start, so that what an earlier one held need not run out first.
        """

    async def release(self, lease: Lease) -> None:
        """Give one back, so that another can take it at once, and ring FLEET. One that is lost already is no error."""
