"""What can be broken of a gateway that is one process: itself, and its engine."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from tests.faults.notes import Notes
from tests.faults.plan import Kind
from tests.faults.processes import Target, child_of, kill
from tests.stage.gateway import Gateway
from tests.stage.processes import engine_of
from tests.stage.programs import built, installed
from tests.stage.shop import Shop
from tests.stage.waiting import eventually

_UNTIL_ENGINE: Final = 60.0


class OneProcess:
    """A gateway, and its engine. A stop lasts `standing` seconds."""

    def __init__(self, gateway: Gateway, notes: Notes, standing: float) -> None:
        self._gateway = gateway
        self._notes = notes
        self._standing = standing

    async def strike(self, kind: Kind, _: Shop, *, between: bool = False) -> None:
        """Kill or stop what is meant, and make it good."""
        match kind:
            case Kind.KILL_GATEWAY | Kind.KILL_ENGINE | Kind.KILL_BOTH:
                await self._kill(kind, between=between)
            case Kind.STOP_GATEWAY:
                await self._stop(kind, self._itself())
            case Kind.STOP_ENGINE:
                await self._stop(kind, await self._engine())
            case _:
                raise AssertionError(f"{kind} is nothing that befalls one process")

    async def _kill(self, kind: Kind, *, between: bool) -> None:
        gateway, engine = self._itself(), await self._engine()
        targets = {Kind.KILL_GATEWAY: [gateway], Kind.KILL_ENGINE: [engine], Kind.KILL_BOTH: [engine, gateway]}[kind]
        with self._notes.noting(kind, between=between):
            await kill(*targets)
        if gateway in targets:
            await self._gateway.process.ended()
            await self._gateway.kill()
            await self._gateway.start()

    async def _stop(self, kind: Kind, target: Target) -> None:
        with self._notes.noting(kind):
            await target.stop()
            try:
                await asyncio.sleep(self._standing)
            finally:
                target.go_on()

    def _itself(self) -> Target:
        return child_of(os.getpid(), self._gateway.process.process_id, installed("wagate"))

    async def _engine(self) -> Target:
        """The engine, once there is one."""
        await eventually(lambda: self._engine_now() is not None, _UNTIL_ENGINE)
        found = self._engine_now()
        assert found is not None, "the engine ended by itself"
        return found

    def _engine_now(self) -> Target | None:
        gateway = self._gateway.process.process_id
        try:
            return child_of(gateway, engine_of(gateway), built("wagate-engine"))
        except (AssertionError, FileNotFoundError):
            return None
