"""Watchers of pairing attempts, and the stage on which a session is paired."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from gateway.domain.leases import Lease
from gateway.domain.lines import CodeShown, DeviceLinked, LineChanged, LineState, OfflineSync
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import owned
from tests.unit.workers.scripted_provider import CONNECTED, DEVICE, ScriptedLine
from wagate.v1 import pairing_service_pb2 as pb


class Watcher:
    """Someone who watches PairSession."""

    def __init__(self, house: House, phone_number: str = "") -> None:
        self.frames: list[pb.PairSessionResponse] = []
        request = pb.PairSessionRequest(session_id="sales", phone_number=phone_number)
        self._task = asyncio.create_task(self._watch(house, request))

    async def _watch(self, house: House, request: pb.PairSessionRequest) -> None:
        async for frame in house.pairing.pair(house.call(), request):
            self.frames.append(frame)

    async def sees(self, *kinds: str) -> list[pb.PairSessionResponse]:
        """Wait until these frames, and no others, were seen."""
        await eventually(lambda: self._task.done() or len(self.frames) >= len(kinds))
        assert [frame.WhichOneof("frame") for frame in self.frames] == list(kinds)
        return self.frames

    async def ends(self) -> None:
        """Wait for the end of the stream; raise what it ended with."""
        await asyncio.wait_for(self._task, SECONDS)

    def leave(self) -> None:
        """Watch no longer."""
        self._task.cancel()


class Stage:
    """A session that waits for a person, with its line."""

    def __init__(self, house: House, line: ScriptedLine) -> None:
        self.house = house
        self.line = line
        self.watchers: list[Watcher] = []

    def watch(self, phone_number: str = "") -> Watcher:
        """One more watcher."""
        self.watchers.append(Watcher(self.house, phone_number))
        return self.watchers[-1]

    async def attempt(self, number: int = 1) -> str:
        """The id of the attempt of this number, once it is under way."""
        await eventually(lambda: len(self.line.attempts) >= number)
        return self.line.attempts[number - 1][0]

    async def show(self, text: str = "2@code", attempt: int = 1) -> None:
        """The line shows a code."""
        expire = datetime.now(UTC) + timedelta(seconds=20)
        await self.line.tell(CodeShown(await self.attempt(attempt), text, expire, 5))

    async def link(self) -> None:
        """A phone scans: linked, then connected."""
        await self.line.tell(DeviceLinked(await self.attempt(), DEVICE, "Shop"), LineChanged(LineState.OPENING))
        await self.line.tell(CONNECTED, OfflineSync(completed=True))


@asynccontextmanager
async def waiting_for_a_person(house: House, lease: Lease) -> AsyncIterator[Stage]:
    number = len(house.provider.lines) + 1
    async with owned(house, lease):
        line = await house.provider.line(number)
        await line.tell(LineChanged(LineState.UNLINKED))
        it = Stage(house, line)
        yield it
        for watcher in it.watchers:
            watcher.leave()
