"""The fleet: this process's owners, and the leases by which they own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.workers import Roll, Worker, to_release
from gateway.ports.leases import Leases
from gateway.ports.meter import Meter
from gateway.ports.queue import FLEET, Queue, worker_bell
from gateway.workers.connect_pace import ConnectPace
from gateway.workers.lookout import Lookout
from gateway.workers.session_owner import SessionOwner
from gateway.workers.tenure import boot_seconds

_ASK_AGAIN_SECONDS: Final = 1.0
_REST_AFTER_FAULT_SECONDS: Final = 5.0
_LEAVE_IN_ORDER_FOR: Final = 0.6

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FleetTerms:
    """How many sessions a process owns at most, how long a lease lasts, and how often it is renewed. Beyond its fair
    share it claims only what was `left_over` for so long. It gives its sessions away within `drain_within`. All workers
    together open `connect_rate` lines in a second; 0 means as many as they can.
    """

    capacity: int
    ttl: timedelta
    renew_every: timedelta
    left_over: timedelta = timedelta(seconds=5)
    drain_within: timedelta = timedelta(seconds=5)
    connect_rate: float = 0.0


@dataclass(slots=True)
class _Owned:
    """An owner at work; `leaving` once its session is given to another worker."""

    owner: SessionOwner
    task: asyncio.Task[None] = field(init=False)
    leaving: bool = False


class Fleet:
    """Claims sessions that are wanted and have no owner, owns them, and gives them back."""

    def __init__(
        self,
        me: Worker,
        leases: Leases,
        queue: Queue,
        meter: Meter,
        terms: FleetTerms,
        hire: Callable[[Lease], SessionOwner],
        pace: ConnectPace | None = None,
    ) -> None:
        self._me = replace(me, capacity=terms.capacity)
        self._leases = leases
        self._queue = queue
        self._meter = meter
        self._terms = terms
        self._hire = hire
        self._pace = pace or ConnectPace()
        self._owned: dict[str, _Owned] = {}
        self._lookout = Lookout(leases, meter, self._pace, ttl=terms.ttl, left_over=terms.left_over)
        self._is_rebalancing = False
        self._known = asyncio.Event()
        self._draining = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Own sessions until `stopping`; then give them to other workers, and leave."""
        async with asyncio.TaskGroup() as group:
            checking_in = group.create_task(self._keep_checking_in(group), name="fleet checks in")
            claiming = group.create_task(self._claim(group), name="fleet claims")
            await stopping.wait()
            await self._drain()
            await asyncio.wait([claiming], timeout=_ASK_AGAIN_SECONDS)
            claiming.cancel()
            checking_in.cancel()
            await self._check_in(group)
        await self._leave()

    # ---- Claiming

    async def _claim(self, group: asyncio.TaskGroup) -> None:
        await self._known.wait()
        with self._queue.listen(FLEET, worker_bell(self._me.worker_id)) as ears:
            while not self._draining.is_set():
                seen = await self._lookout.look(self._present)
                if seen.roll is not None:
                    self._heed(group, seen.roll)
                for lease in seen.leases:
                    if self._draining.is_set():
                        await self._give_back(lease)
                    else:
                        self._begin(group, lease, seen.asked)
                if seen.look_again:
                    await ears.heard(seen.look_again if self._queue.health().serving else seen.look_again / 2)

    # ---- Owning

    def _begin(self, group: asyncio.TaskGroup, lease: Lease, asked: float) -> None:
        earlier = self._owned.get(lease.session_uid)
        owned = self._owned[lease.session_uid] = _Owned(self._hire(lease))
        owned.task = group.create_task(self._own(owned, asked, earlier), name=f"owner of {lease.session_uid}")

    async def _own(self, owned: _Owned, asked: float, earlier: _Owned | None) -> None:
        """Run one owner to its end, and give the lease back. A fault in one owner is its own: the session is claimed
        again after a rest. An earlier owner of ours, whose lease ran out, ends first.
        """
        owner = owned.owner
        try:
            if earlier is not None:
                earlier.task.cancel()
                await asyncio.wait({earlier.task})
            await owner.renew(self._remaining(asked))
            await owner.run()
        except Exception:
            log.exception("An owner failed.", session_uid=owner.lease.session_uid)
            await asyncio.sleep(_REST_AFTER_FAULT_SECONDS)
        finally:
            await self._give_back(owner.lease)
            if self._owned.get(owner.lease.session_uid) is owned:
                del self._owned[owner.lease.session_uid]

    def _remaining(self, asked: float) -> timedelta:
        """How long a lease that was asked for then lasts at least: the store counts from later on."""
        return self._terms.ttl - timedelta(seconds=boot_seconds() - asked)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except StoreUnavailable:
            log.warning("A lease was not given back; it runs out by itself.", session_uid=lease.session_uid)

    # ---- Checking in

    async def _keep_checking_in(self, group: asyncio.TaskGroup) -> None:
        with self._queue.listen(worker_bell(self._me.worker_id)) as ears:
            while True:
                every = self._terms.renew_every.total_seconds()
                await ears.heard(every if await self._check_in(group) else min(every, _ASK_AGAIN_SECONDS))

    async def _check_in(self, group: asyncio.TaskGroup) -> bool:
        """Renew all leases, and say and hear who is at work; tell whether that went well."""
        asked = boot_seconds()
        try:
            async with asyncio.timeout(self._terms.ttl.total_seconds() / 2):
                held, roll = await self._leases.check_in(self._present(), self._terms.ttl)
        except (StoreUnavailable, TimeoutError):
            log.warning("Leases were not renewed: the database does not answer.")
            return False
        self._known.set()
        await self._pass_on(held, self._remaining(asked))
        self._take_note(group, roll)
        return True

    def _present(self) -> Worker:
        return replace(self._me, session_count=len(self._owned), is_draining=self._draining.is_set())

    async def _pass_on(self, held: list[Lease], remaining: timedelta) -> None:
        """Tell the lines that their leases last, end the owners whose leases are lost, and give back what nobody works
        under: it was claimed, and the answer never came.
        """
        fences = {lease.session_uid: lease.fence for lease in held}
        holding: list[SessionOwner] = []
        for uid, owned in self._owned.items():
            if fences.get(uid) == owned.owner.lease.fence:
                holding.append(owned.owner)
            elif not owned.leaving:
                log.warning("A lease was lost.", session_uid=uid)
                owned.task.cancel()
        await asyncio.gather(*(owner.renew(remaining) for owner in holding))
        for lease in held:
            if lease.session_uid not in self._owned and not self._lookout.is_claiming:
                await self._give_back(lease)

    def _take_note(self, group: asyncio.TaskGroup, roll: Roll) -> None:
        """See who else is at work, and whether this worker has too much."""
        self._meter.fleet_seen(len(self._owned), roll.share, roll.unowned)
        self._heed(group, roll)
        if self._draining.is_set() or self._is_rebalancing:
            return
        if count := to_release(self._present(), roll):
            group.create_task(self._rebalance(count, roll.share), name="fleet rebalances")

    def _heed(self, group: asyncio.TaskGroup, roll: Roll) -> None:
        """See how many share the pace, and whether this worker is to give all away: at each look, as no bell may tell
        of it.
        """
        if self._terms.connect_rate:
            self._pace.share(self._terms.connect_rate, len(roll.serving))
        wanted = any(worker.drain_wanted for worker in roll.workers if worker.worker_id == self._me.worker_id)
        if wanted and not self._draining.is_set():
            self._draining.set()
            group.create_task(self._drain(), name="fleet drains")

    # ---- Giving away

    async def _rebalance(self, count: int, share: int) -> None:
        """Give some sessions away, at moments that nobody foresees; one that takes long keeps no other."""
        self._is_rebalancing = True
        movable = [owned for owned in self._owned.values() if not (owned.leaving or owned.owner.is_pairing)]
        chosen = random.sample(movable, min(count, len(movable)))
        log.info(
            "Sessions above the fair share are given away.", count=len(chosen), owned=len(self._owned), share=share
        )
        gap = self._terms.renew_every.total_seconds() / (len(chosen) + 1)
        async with asyncio.TaskGroup() as leaving:
            for owned in chosen:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._draining.wait(), random.uniform(0, gap))
                    break
                leaving.create_task(self._give_away(owned), name=f"{owned.owner.lease.session_uid} is given away")
        self._is_rebalancing = False

    async def _drain(self) -> None:
        """Claim nothing more, and give all sessions away in time."""
        self._draining.set()
        self._queue.ring(worker_bell(self._me.worker_id))
        started, count = boot_seconds(), len(self._owned)
        await asyncio.gather(*(self._give_away(owned) for owned in list(self._owned.values())))
        self._queue.ring(worker_bell(self._me.worker_id))
        if count:
            log.info("All sessions were given away.", count=count, seconds=round(boot_seconds() - started, 3))

    async def _give_away(self, owned: _Owned) -> None:
        """Let an owner finish what is under way, close its line, and give its lease back."""
        if owned.leaving:
            await asyncio.wait({owned.task})
            return
        owned.leaving = True
        try:
            async with asyncio.timeout(self._terms.drain_within.total_seconds() * _LEAVE_IN_ORDER_FOR):
                await owned.owner.leave()
        except TimeoutError:
            log.warning("A message is still under way as its session is given away.")
        owned.task.cancel()
        await asyncio.wait({owned.task})
        self._meter.session_given_away()

    async def _leave(self) -> None:
        try:
            await self._leases.leave(self._me.worker_id)
        except StoreUnavailable:
            log.warning("The worker could not say that it ends; it is taken for lost instead.")
