"""Injecting: what each kind of fault is, and how it is made good. What was done, and when, is noted for the judge."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.faults.plan import OF_ONE_SESSION, Fault, Kind
from tests.faults.processes import Target, child_of, kill
from tests.faults.record import Entry, Injected
from tests.faults.scene import LEASE_SECONDS, Scene
from tests.stage.processes import engine_of
from tests.stage.programs import built, installed
from tests.stage.shop import Shop
from tests.stage.waiting import eventually
from wagate.lab.v1 import lab_service_pb2 as pb

Wrong = pb.SetFaultRequest.Fault

_BEYOND_THE_LEASE: Final = LEASE_SECONDS + 1.0
_UNTIL_ENGINE: Final = 60.0
_UNTIL_SENT: Final = 8.0
_LASTING: Final = {
    Kind.FREEZE: (Wrong(frozen=True), 6.0),
    Kind.LOSE_ACKS: (Wrong(acks_lost=True), 2.0),
    Kind.HOLD_ACKS: (Wrong(acks_held=True), 1.0),
    Kind.GARBLE: (Wrong(garble_count=2), 1.0),
}
"""What goes wrong with one session's line, and for how many seconds."""


class Injector:
    """Injects faults into a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stranded: set[str] = set()
        self.injected: list[Injected] = []

    async def inject(self, fault: Fault, troubles: asyncio.TaskGroup) -> None:
        """Inject a fault, and make it good. Those of one session go on beside what follows, among `troubles`."""
        shop = self._scene.shops[fault.session]
        if fault.kind in OF_ONE_SESSION:
            troubles.create_task(self._trouble(fault.kind, shop))
        elif fault.between:
            async with self._one_at_a_time[shop.session_id]:
                await self._between_send_and_ack(fault, shop)
        else:
            await self._wreck(fault.kind)

    async def _wreck(self, kind: Kind, *, between: bool = False) -> None:
        match kind:
            case Kind.KILL_GATEWAY | Kind.KILL_ENGINE | Kind.KILL_BOTH:
                await self._kill(kind, between=between)
            case Kind.STOP_GATEWAY:
                await self._stop(kind, self._gateway())
            case Kind.STOP_ENGINE:
                await self._stop(kind, await self._engine())
            case Kind.KILL_READER:
                with self._noting(kind):
                    await self._scene.reader.kill()
                await self._scene.reader.start()
            case _:
                raise AssertionError(f"{kind} concerns one session")

    async def _kill(self, kind: Kind, *, between: bool) -> None:
        gateway, engine = self._gateway(), await self._engine()
        targets = {Kind.KILL_GATEWAY: [gateway], Kind.KILL_ENGINE: [engine], Kind.KILL_BOTH: [engine, gateway]}[kind]
        with self._noting(kind, between=between):
            await kill(*targets)
        if gateway in targets:
            await self._scene.gateway.process.ended()
            await self._scene.gateway.kill()
            await self._scene.gateway.start()

    async def _stop(self, kind: Kind, target: Target) -> None:
        with self._noting(kind):
            await target.stop()
            try:
                await asyncio.sleep(_BEYOND_THE_LEASE)
            finally:
                target.go_on()

    async def _between_send_and_ack(self, fault: Fault, shop: Shop) -> None:
        """Let WhatsApp hold its acks back from a session, and strike once it has taken a message from there: the first
        time one to whom is away, later any, as that chat then waits.
        """
        callers, peers = self._scene.callers[fault.session], {person.phone_number for person in self._scene.persons}
        if shop.session_id not in self._stranded:
            self._stranded.add(shop.session_id)
            callers, peers = callers[-1:], {self._scene.away.phone_number}

        def taken(entry: Entry) -> bool:
            return entry.kind == "ACCEPTED" and entry.account == shop.phone_number and entry.peer in peers

        async with asyncio.TaskGroup() as group:
            with self._noting(Kind.HOLD_ACKS, shop):
                await self._set(shop, Wrong(acks_held=True))
                for caller in callers:
                    group.create_task(caller.act())
                if not await self._scene.witness.sees(taken, within=_UNTIL_SENT):
                    sys.stderr.write(f"{shop.session_id} sent nothing for {_UNTIL_SENT} s: {fault.kind} comes anyway\n")
                await self._wreck(fault.kind, between=True)
                await self._set(shop)

    async def _trouble(self, kind: Kind, shop: Shop) -> None:
        async with self._one_at_a_time[shop.session_id]:
            with self._noting(kind, shop):
                if kind is Kind.CUT:
                    cut = pb.DropConnectionsRequest(phone_number=shop.phone_number)
                    await self._scene.lab.stub.DropConnections(cut)
                    return
                wrong, seconds = _LASTING[kind]
                await self._set(shop, wrong)
                await asyncio.sleep(seconds)
                await self._set(shop)

    async def _set(self, shop: Shop, wrong: Wrong | None = None) -> None:
        await self._scene.lab.fault(shop.account, wrong)

    @contextmanager
    def _noting(self, kind: Kind, shop: Shop | None = None, *, between: bool = False) -> Iterator[None]:
        begun = time.time()
        yield
        self.injected.append(Injected(kind, begun, time.time(), shop.session_id if shop else "", between))

    def _gateway(self) -> Target:
        return child_of(os.getpid(), self._scene.gateway.process.process_id, installed("wagate"))

    async def _engine(self) -> Target:
        """The engine, once there is one."""
        await eventually(lambda: self._engine_now() is not None, _UNTIL_ENGINE)
        found = self._engine_now()
        assert found is not None, "the engine ended by itself"
        return found

    def _engine_now(self) -> Target | None:
        gateway = self._scene.gateway.process.process_id
        try:
            return child_of(gateway, engine_of(gateway), built("wagate-engine"))
        except (AssertionError, FileNotFoundError):
            return None
