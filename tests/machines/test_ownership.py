"""Ownership against a model: workers come, freeze, die, drain and share, in whatever order and time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.workers import Worker, to_claim, to_release
from gateway.ports.unit_of_work import UnitOfWork
from tests.machines.loop import LONG, SHORT, Ground, Machine, check, driven
from wagate.v1 import session_service_pb2 as pb
from wagate.v1 import system_service_pb2

TTL: Final = timedelta(seconds=15)
GRACE: Final = timedelta(seconds=5)
TICK: Final = timedelta(seconds=3)
SESSIONS: Final = 7
WORKERS_AT_MOST: Final = 4
ROUNDS_AT_MOST: Final = 40


@dataclass
class Model:
    """A worker's process: what it says of itself, and what it believes to hold, each until when by its own count."""

    me: Worker
    held: dict[str, tuple[Lease, datetime]] = field(default_factory=dict)

    def present(self) -> Worker:
        """What it says when it checks in."""
        return replace(self.me, session_count=len(self.held))


class OwnershipMachine(Machine):
    """Some sessions, and workers that want them."""

    workers = Bundle("workers")

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[str, Model] = {}
        self.dead: list[Model] = []
        self.fences: dict[str, int] = {}
        self.issued: list[Lease] = []
        self.unwanted: set[str] = set()
        self.uids: dict[str, str] = {}

    @initialize()
    @driven
    async def begin_anew(self) -> None:
        """Sessions that nobody owns; those of earlier runs are gone."""
        for session in await self.house.store.read(lambda uow: uow.sessions.page("default", after="", limit=100)):
            request = pb.DeleteSessionRequest(session_id=session.session_id, force=True)
            await self.house.sessions.delete(self.house.call(), request)
        await self.house.leases.end_all()
        for _ in range(SESSIONS):
            session_id = f"o-{next(self.ground.numbers)}"
            self.uids[session_id] = (await self.house.create(session_id)).uid

    # Workers

    @precondition(lambda self: len(self.alive) < WORKERS_AT_MOST)
    @rule(target=workers, capacity=st.integers(1, 9))
    def start(self, capacity: int) -> str:
        name = f"w_{next(self.ground.numbers):05}"
        self.alive[name] = Model(Worker(name, name, "1", self.now, capacity))
        return name

    @rule(name=workers)
    @driven
    async def check_in(self, name: str) -> None:
        if name in self.alive:
            await self._check_in(self.alive[name])

    @rule(name=workers)
    @driven
    async def claim(self, name: str) -> None:
        if name in self.alive:
            await self._claim(self.alive[name])

    @rule(name=workers)
    def die(self, name: str) -> None:
        """Be killed, or frozen for ever: what it held it goes on believing."""
        if name in self.alive:
            self.dead.append(self.alive.pop(name))

    @rule(name=workers)
    @driven
    async def leave(self, name: str) -> None:
        """Give all away, and end."""
        if name in self.alive:
            worker = self.alive.pop(name)
            await self._give_away(worker, len(worker.held))
            await self.house.leases.leave(name)

    # Others

    @rule(name=workers)
    @driven
    async def want_drain(self, name: str) -> None:
        known = await self.house.store.read(lambda uow: uow.workers.get(name))
        if known is not None:
            request = system_service_pb2.DrainWorkerRequest(worker_id=name)
            await self.house.workers.drain(self.house.call(), request)

    @rule(number=st.integers(0, SESSIONS - 1))
    @driven
    async def stop_or_start(self, number: int) -> None:
        session_id = list(self.uids)[number]
        if session_id in self.unwanted:
            self.unwanted.remove(session_id)
            await self.house.sessions.start(self.house.call(), pb.StartSessionRequest(session_id=session_id))
        else:
            self.unwanted.add(session_id)
            await self.house.sessions.stop(self.house.call(), pb.StopSessionRequest(session_id=session_id))

    @rule(seconds=st.sampled_from((0.1, 3, 4.9, 5, 14.9, 15, 40)))
    def pass_time(self, seconds: float) -> None:
        self.house.clock.ahead += timedelta(seconds=seconds)

    @precondition(lambda self: self.alive)
    @rule()
    @driven
    async def come_to_rest(self) -> None:
        """Let those at work go on for a while: in the end all that is wanted has an owner, and all have alike."""
        for _ in range(ROUNDS_AT_MOST):
            self.house.clock.ahead += TICK
            for worker in list(self.alive.values()):
                await self._check_in(worker)
                await self._claim(worker)
            if await self._is_even():
                return
        raise AssertionError("sessions were not shared evenly in time")

    # What is true all along

    @invariant()
    @driven
    async def each_session_has_one_owner_at_most(self) -> None:
        believed = [
            lease.session_uid
            for worker in (*self.alive.values(), *self.dead)
            for lease, until in worker.held.values()
            if until > self.now
        ]
        assert len(believed) == len(set(believed))
        valid = [lease for lease in self.issued if await self._may_write(lease)]
        assert len({lease.session_uid for lease in valid}) == len(valid)
        assert all(lease.fence == self.fences[lease.session_uid] for lease in valid)

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    async def _check_in(self, worker: Model) -> None:
        asked = self.now
        held, roll = await self.house.leases.check_in(worker.present(), TTL)
        fences = {lease.session_uid: lease.fence for lease in held}
        worker.held = {
            uid: (lease, asked + TTL) for uid, (lease, _) in worker.held.items() if fences.get(uid) == lease.fence
        }
        mine = next(one for one in roll.workers if one.worker_id == worker.me.worker_id)
        if mine.drain_wanted:
            worker.me = replace(worker.me, is_draining=True)
            await self._give_away(worker, len(worker.held))
            return
        await self._rest_unwanted(worker)
        await self._give_away(worker, to_release(worker.present(), roll))

    async def _rest_unwanted(self, worker: Model) -> None:
        """An owner of whose session nothing is wanted stops it, and gives it back."""
        for session_id in self.unwanted:
            lease, _ = worker.held.get(self.uids[session_id], (None, None))
            if lease is not None:
                await self.house.lines.stopped(lease)
                del worker.held[lease.session_uid]
                await self.house.leases.release(lease)

    async def _claim(self, worker: Model) -> None:
        roll = await self.house.leases.look()
        count, only_left_over = to_claim(worker.present(), roll)
        if not count:
            return
        asked = self.now
        free_for = GRACE if only_left_over else timedelta(0)
        for lease in await self.house.leases.claim(worker.me.worker_id, limit=count, ttl=TTL, free_for=free_for):
            assert lease.fence == self.fences.get(lease.session_uid, 0) + 1
            self.fences[lease.session_uid] = lease.fence
            self.issued.append(lease)
            worker.held[lease.session_uid] = (lease, asked + TTL)
        assert len(worker.held) <= worker.me.capacity

    async def _give_away(self, worker: Model, count: int) -> None:
        for uid in sorted(worker.held)[:count]:
            lease, _ = worker.held.pop(uid)
            await self.house.leases.release(lease)

    async def _is_even(self) -> bool:
        roll = await self.house.leases.look()
        serving = [self.alive[one.worker_id] for one in roll.serving if one.worker_id in self.alive]
        room = sum(worker.me.capacity for worker in serving)
        owned = sum(len(worker.held) for worker in serving)
        fair = all(len(worker.held) <= min(roll.share, worker.me.capacity) for worker in serving)
        drained = all(not worker.held for worker in self.alive.values() if worker not in serving)
        return fair and drained and len(serving) == len(roll.serving) and owned == min(roll.wanted, room)

    async def _may_write(self, lease: Lease) -> bool:
        async def work(uow: UnitOfWork) -> bool:
            try:
                await uow.fences.check(lease.session_uid, lease.fence)
            except LeaseLost:
                return False
            return True

        return await self.house.store.read(work)


@pytest.mark.timeout(300)
def test_a_session_has_one_owner_at_most_and_all_are_shared_alike(ground: Ground) -> None:
    check(OwnershipMachine, ground, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_session_has_one_owner_at_most_and_all_are_shared_alike_for_long(ground: Ground) -> None:
    check(OwnershipMachine, ground, LONG)
