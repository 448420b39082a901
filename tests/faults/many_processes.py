"""What can be broken of a fleet: API processes, workers, their engines, PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

from tests.faults.notes import Notes
from tests.faults.parts import Parts
from tests.faults.plan import OF_REDIS, Kind
from tests.faults.processes import NotOurs, Target, child_of, kill
from tests.stage.fleet import Worker
from tests.stage.gateway import Gateway
from tests.stage.processes import engines_of
from tests.stage.programs import built, installed
from tests.stage.shop import Shop
from tests.stage.waiting import eventually
from wagate.v1 import system_service_pb2, worker_pb2

_Process = TypeVar("_Process", Gateway, Worker)
_UNTIL_WELL: Final = 120.0
_AWAY_SECONDS: Final = 3.0
"""For how long Redis stands, and is away but for the first time."""
_STARTS: Final = 10
"""How often a process is started, at most, until it works: what it needs may be broken meanwhile."""


class ManyProcesses:
    """A fleet's parts. A stop lasts `standing` seconds; what was killed is started again beside what follows, among
    `troubles`, as a supervisor would.
    """

    def __init__(
        self, parts: Parts, notes: Notes, standing: float, first_away: float, troubles: asyncio.TaskGroup
    ) -> None:
        self._parts = parts
        self._notes = notes
        self._standing = standing
        self._away = first_away
        self._troubles = troubles
        self._down: set[Gateway | Worker] = set()
        self._redis_in_turn = asyncio.Lock()

    async def strike(self, kind: Kind, shop: Shop, *, between: bool = False) -> None:
        """Do to the fleet what is meant, where it serves this session."""
        match kind:
            case Kind.KILL_API | Kind.STOP_API:
                await self._break_api(kind)
            case Kind.KILL_WORKER:
                await self._kill_worker(kind, shop, between=between)
            case Kind.KILL_ENGINE:
                await self._kill_engine(kind, shop, between=between)
            case Kind.STOP_WORKER | Kind.STOP_ENGINE:
                await self._stop_owner(kind, shop)
            case Kind.DRAIN_WORKER:
                await self._drain(kind, shop)
            case Kind.KILL_POSTGRES | Kind.STOP_POSTGRES:
                await self._break_postgres(kind)
            case _ if kind in OF_REDIS:
                self._troubles.create_task(self._break_redis(kind))
            case _:
                raise AssertionError(f"{kind} is nothing that befalls a fleet")

    # ---- Processes

    async def _break_api(self, kind: Kind) -> None:
        api = (await self._up(self._parts.fleet.apis))[0]
        self._parts.fleet.apis.append(self._parts.fleet.apis.pop(0))  # another one next time
        with self._notes.noting(kind):
            if kind is Kind.STOP_API:
                async with _stopped(_process(api)):
                    await asyncio.sleep(self._standing)
                return
            await kill(_process(api))
        await self._let_revive(api)

    async def _kill_worker(self, kind: Kind, shop: Shop, *, between: bool) -> None:
        worker = await self._owner(shop)
        with self._notes.noting(kind, between=between) as concerned:
            await kill(_process(worker))
            concerned.extend(await self._owned_by(worker))
        await self._let_revive(worker)

    async def _kill_engine(self, kind: Kind, shop: Shop, *, between: bool) -> None:
        worker = await self._owner(shop)
        engine = (await self._engines(worker))[0]
        with self._notes.noting(kind, between=between) as concerned:
            await kill(engine)
            concerned.extend(await self._owned_by(worker))

    async def _stop_owner(self, kind: Kind, shop: Shop) -> None:
        """Stop a worker or all its engines: from outside it cannot be seen in which of them a session is."""
        worker = await self._owner(shop)
        targets = [_process(worker)] if kind is Kind.STOP_WORKER else await self._engines(worker)
        with self._notes.noting(kind) as concerned:
            async with _stopped(*targets):
                concerned.extend(await self._owned_by(worker))
                await asyncio.sleep(self._standing)

    async def _drain(self, kind: Kind, shop: Shop) -> None:
        """As an operator does: let it hand over, stop it once it has, and start it again."""
        worker, api = await self._owner(shop), (await self._up(self._parts.fleet.apis))[0]

        async def is_drained() -> bool:
            shown = (await api.system.ListWorkers(system_service_pb2.ListWorkersRequest())).workers
            states = {each.worker_id: each.state for each in shown}
            return states.get(worker.worker_id) == worker_pb2.Worker.STATE_DRAINED

        with self._notes.noting(kind) as concerned:
            concerned.extend(await self._owned_by(worker))
            await api.system.DrainWorker(system_service_pb2.DrainWorkerRequest(worker_id=worker.worker_id))
            await eventually(is_drained, _UNTIL_WELL)
        self._down.add(worker)
        status = await worker.stop()
        assert status == 0, f"a drained worker did not end well:\n{worker.process.last_words()}"
        self._troubles.create_task(self._revive(worker))

    async def _let_revive(self, process: Gateway | Worker) -> None:
        self._down.add(process)
        await process.process.ended()
        await process.kill()
        self._troubles.create_task(self._revive(process))

    async def _revive(self, process: Gateway | Worker) -> None:
        """Start it until it works."""
        for attempt in range(_STARTS):
            try:
                await process.start()
                break
            except AssertionError as error:
                if attempt == _STARTS - 1:
                    raise
                sys.stderr.write(f"started once more: {str(error)[-300:]}\n")
        self._down.discard(process)

    async def _up(self, processes: Sequence[_Process]) -> list[_Process]:
        """Those that work, once one does."""
        found: list[_Process] = []

        def some_are_up() -> bool:
            found[:] = [process for process in processes if process not in self._down]
            return bool(found)

        await eventually(some_are_up, _UNTIL_WELL)
        return found

    async def _owner(self, shop: Shop) -> Worker:
        """The worker that owns a session, once one does that works."""
        found: list[Worker] = []

        async def owned() -> bool:
            owner_id = (await self._parts.owners()).get(shop.session_id)
            workers = await self._up(self._parts.fleet.workers)
            found[:] = [worker for worker in workers if worker.worker_id == owner_id]
            return bool(found)

        await eventually(owned, _UNTIL_WELL)
        return found[0]

    async def _owned_by(self, worker: Worker) -> list[str]:
        owners = await self._parts.owners()
        return [session_id for session_id, owner_id in owners.items() if owner_id == worker.worker_id]

    async def _engines(self, worker: Worker) -> list[Target]:
        """A worker's engines, once there is one."""
        parent, found = worker.process.process_id, list[Target]()

        def there_are_some() -> bool:
            try:
                found[:] = [child_of(parent, engine, built("wagate-engine")) for engine in engines_of(parent)]
            except (NotOurs, FileNotFoundError):
                return False
            return bool(found)

        await eventually(there_are_some, _UNTIL_WELL)
        return found

    # ---- What they stand on

    async def _break_postgres(self, kind: Kind) -> None:
        postgres = self._parts.postgres
        with self._notes.noting(kind):
            if kind is Kind.KILL_POSTGRES:
                await postgres.kill()
                await postgres.start()
                return
            postgres.freeze()
            try:
                await asyncio.sleep(self._standing)
            finally:
                postgres.thaw()

    async def _break_redis(self, kind: Kind) -> None:
        redis = self._parts.redis
        async with self._redis_in_turn:
            with self._notes.noting(kind):
                if kind is Kind.FLUSH_REDIS:
                    await redis.flush()
                elif kind is Kind.STOP_REDIS:
                    await redis.freeze()
                    await asyncio.sleep(_AWAY_SECONDS)
                    redis.thaw()
                else:
                    await redis.kill()
                    await asyncio.sleep(self._next_away() if kind is Kind.REDIS_AWAY else 0)
                    await redis.start()

    def _next_away(self) -> float:
        seconds, self._away = self._away, _AWAY_SECONDS
        return seconds


def _process(process: Gateway | Worker) -> Target:
    return child_of(os.getpid(), process.process.process_id, installed("wagate"))


@asynccontextmanager
async def _stopped(*targets: Target) -> AsyncIterator[None]:
    """Let processes stand while the context lasts."""
    for target in targets:
        await target.stop()
    yield
    for target in targets:
        with suppress(NotOurs, ProcessLookupError):  # an engine that stands is ended by its worker
            target.go_on()
