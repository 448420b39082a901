"""Injecting: what each kind of fault is, and how it is made good. What was done, and when, is noted for the judge."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from typing import Final, Protocol

from tests.faults.notes import Notes
from tests.faults.plan import OF_ONE_SESSION, Fault, Kind
from tests.faults.record import Entry
from tests.faults.scene import Scene
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2 as pb

Wrong = pb.SetFaultRequest.Fault

_UNTIL_SENT: Final = 15.0
_LASTING: Final = {
    Kind.FREEZE: (Wrong(frozen=True), 6.0),
    Kind.LOSE_ACKS: (Wrong(acks_lost=True), 2.0),
    Kind.HOLD_ACKS: (Wrong(acks_held=True), 1.0),
    Kind.GARBLE: (Wrong(garble_count=2), 1.0),
}
"""What goes wrong with one session's line, and for how many seconds."""


class Victims(Protocol):
    """The processes that may be broken."""

    async def strike(self, kind: Kind, shop: Shop, *, between: bool = False) -> None:
        """Break one or more, where they serve this session, and make it good; note both."""


class Injector:
    """Injects faults into a scene. Those that go on beside what follows do so among `troubles`."""

    def __init__(self, scene: Scene, victims: Victims, notes: Notes, troubles: asyncio.TaskGroup) -> None:
        self._scene = scene
        self._victims = victims
        self._notes = notes
        self._troubles = troubles
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._stranded = {shop.session_id for shop in scene.shops if scene.parts}

    async def inject(self, fault: Fault) -> None:
        """Inject a fault, and make it good."""
        shop = self._scene.shops[fault.session]
        if fault.kind in OF_ONE_SESSION:
            self._troubles.create_task(self._trouble(fault.kind, shop))
        elif fault.between:
            async with self._one_at_a_time[shop.session_id]:
                await self._between_send_and_ack(fault, shop)
        elif fault.kind is Kind.KILL_READER:
            with self._notes.noting(fault.kind):
                await self._scene.reader.kill()
            await self._scene.reader.start()
        else:
            await self._victims.strike(fault.kind, shop)

    async def _between_send_and_ack(self, fault: Fault, shop: Shop) -> None:
        """Let WhatsApp hold its acks back from a session, and strike once it has taken a message from there: the first
        time one to whom is away, later any, as that chat then waits. In a fleet other faults have it wait sooner.
        """
        callers, peers = self._scene.callers[fault.session], {person.phone_number for person in self._scene.persons}
        if shop.session_id not in self._stranded:
            self._stranded.add(shop.session_id)
            callers, peers = callers[-1:], {self._scene.away.phone_number}

        def taken(entry: Entry) -> bool:
            return entry.kind == "ACCEPTED" and entry.account == shop.phone_number and entry.peer in peers

        async with asyncio.TaskGroup() as group:
            with self._notes.noting(Kind.HOLD_ACKS, shop):
                await self._set(shop, Wrong(acks_held=True))
                for caller in callers:
                    group.create_task(caller.act())
                if not await self._scene.witness.sees(taken, within=_UNTIL_SENT):
                    sys.stderr.write(f"{shop.session_id} sent nothing for {_UNTIL_SENT} s: {fault.kind} comes anyway\n")
                await self._victims.strike(fault.kind, shop, between=True)
                await self._set(shop)

    async def _trouble(self, kind: Kind, shop: Shop) -> None:
        async with self._one_at_a_time[shop.session_id]:
            with self._notes.noting(kind, shop):
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
