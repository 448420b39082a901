"""The fleet: this process's owners, and the leases by which they own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.ports.leases import Leases
from gateway.ports.queue import FLEET, Queue
from gateway.workers.session_owner import SessionOwner

_CLAIM_AT_ONCE: Final = 100
_LOOK_SECONDS: Final = 1.0
_REST_AFTER_FAULT_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FleetTerms:
    """How many sessions a process owns at most, how long a lease lasts, and how often it is renewed."""

    capacity: int
    ttl: timedelta
    renew_every: timedelta


class Fleet:
    """Claims sessions that are wanted and have no owner, owns them, and gives them back."""

    def __init__(
        self, owner_id: str, leases: Leases, queue: Queue, terms: FleetTerms, hire: Callable[[Lease], SessionOwner]
    ) -> None:
        self._owner_id = owner_id
        self._leases = leases
        self._queue = queue
        self._terms = terms
        self._hire = hire
        self._owners: dict[str, tuple[SessionOwner, asyncio.Task[None]]] = {}
        self._is_claiming = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Own sessions until `stopping`; then close their lines and give the leases back."""
        async with asyncio.TaskGroup() as group:
            keeping = [
                group.create_task(self._claim(group), name="fleet claims"),
                group.create_task(self._renew(), name="fleet renews"),
            ]
            await stopping.wait()
            keeping[0].cancel()
            owners = [task for _, task in self._owners.values()]
            for task in owners:
                task.cancel()
            await asyncio.gather(*owners, return_exceptions=True)
            keeping[1].cancel()

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        with self._queue.listen(FLEET) as ears:
            while True:
                free = min(self._terms.capacity - len(self._owners), _CLAIM_AT_ONCE)
                asked = asyncio.get_running_loop().time()
                leases = await self._try_claim(free) if free > 0 else []
                for lease in leases:
                    self._begin(group, lease, asked)
                if leases:
                    log.info("Sessions were claimed.", claimed=len(leases), owned=len(self._owners))
                if len(leases) < _CLAIM_AT_ONCE:
                    await ears.heard(_LOOK_SECONDS)

    async def _try_claim(self, limit: int) -> list[Lease]:
        self._is_claiming = True
        try:
            return await self._leases.claim(self._owner_id, limit=limit, ttl=self._terms.ttl)
        except StoreUnavailable:
            log.warning("No session can be claimed: the database does not answer.")
            return []
        finally:
            self._is_claiming = False

    def _begin(self, group: asyncio.TaskGroup, lease: Lease, asked: float) -> None:
        _, earlier = self._owners.get(lease.session_uid, (None, None))
        owner = self._hire(lease)
        task = group.create_task(self._own(owner, asked, earlier), name=f"owner of {lease.session_uid}")
        self._owners[lease.session_uid] = (owner, task)

    async def _own(self, owner: SessionOwner, asked: float, earlier: asyncio.Task[None] | None) -> None:
        """Run one owner to its end, and give the lease back. A fault in one owner is its own: the session is claimed
        again after a rest. An earlier owner of ours, whose lease ran out, ends first.
        """
        try:
            if earlier is not None:
                earlier.cancel()
                await asyncio.wait({earlier})
            await owner.renew(self._remaining(asked))
            await owner.run()
        except Exception:
            log.exception("An owner failed.", session_uid=owner.lease.session_uid)
            await asyncio.sleep(_REST_AFTER_FAULT_SECONDS)
        finally:
            await self._give_back(owner.lease)
            present, _ = self._owners.get(owner.lease.session_uid, (None, None))
            if present is owner:
                del self._owners[owner.lease.session_uid]

    def _remaining(self, asked: float) -> timedelta:
        """How long a lease that was asked for then lasts at least: the store counts from later on."""
        return self._terms.ttl - timedelta(seconds=asyncio.get_running_loop().time() - asked)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except StoreUnavailable:
            log.warning("A lease was not given back; it runs out by itself.", session_uid=lease.session_uid)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._terms.renew_every.total_seconds())
            if not self._owners:
                continue
            asked = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(self._terms.ttl.total_seconds() / 2):
                    held = await self._leases.renew(self._owner_id, self._terms.ttl)
            except (StoreUnavailable, TimeoutError):
                log.warning("Leases were not renewed: the database does not answer.")
                continue
            await self._pass_on(held, self._remaining(asked))

    async def _pass_on(self, held: list[Lease], remaining: timedelta) -> None:
        """Tell the lines that their leases last, end the owners whose leases are lost, and give back what nobody works
        under: it was claimed, and the answer never came.
        """
        fences = {lease.session_uid: lease.fence for lease in held}
        holding: list[SessionOwner] = []
        for uid, (owner, task) in self._owners.items():
            if fences.get(uid) == owner.lease.fence:
                holding.append(owner)
            else:
                log.warning("A lease was lost.", session_uid=uid)
                task.cancel()
        await asyncio.gather(*(owner.renew(remaining) for owner in holding))
        for lease in held:
            if lease.session_uid not in self._owners and not self._is_claiming:
                await self._give_back(lease)
