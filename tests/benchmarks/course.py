"""The course: a lab, a contestant that dials it, and sessions that are linked. All contestants run the same one."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.contestant import Contestant, LabAddress
from tests.stage.lab import Lab, lab_process
from tests.stage.persons import Person
from wagate.lab.v1 import lab_service_pb2

Maker = Callable[[Path, LabAddress], Contestant]

_PAIRING_AT_ONCE: Final = 4
_CONNECTED_WITHIN: Final = 300.0


@dataclass(frozen=True)
class Seat:
    """A session of the contestant, and the number of the account that it is linked to."""

    session: str
    phone_number: str


class Course:
    """A contestant on its lab."""

    def __init__(self, lab: Lab, contestant: Contestant, seats: list[Seat]) -> None:
        self.lab = lab
        self.contestant = contestant
        self.seats = seats

    async def take_seats(self, count: int) -> None:
        """Link so many sessions, a few at a time."""
        few = asyncio.Semaphore(_PAIRING_AT_ONCE)

        async def one(session: str) -> Seat:
            async with few:
                account = await self.lab.account()
                await self.lab.scan(account, await self.contestant.pair(session))
                await self.connected(session)
                return Seat(session, account.phone_number)

        async with asyncio.TaskGroup() as group:
            pairing = [group.create_task(one(f"seat-{number}")) for number in range(count)]
        self.seats += [task.result() for task in pairing]

    async def connected(self, *sessions: str) -> None:
        """Wait until these sessions are connected, or all."""
        async with asyncio.timeout(_CONNECTED_WITHIN):
            await self.contestant.connected(*(sessions or (seat.session for seat in self.seats)))

    async def persons(self, count: int) -> list[Person]:
        """So many people to chat with."""
        return [await self.lab.person(f"Person {number}") for number in range(count)]


@asynccontextmanager
async def a_course(folder: Path, make: Maker, count: int) -> AsyncIterator[Course]:
    """Start a lab and a contestant with so many linked sessions, for as long as the context lasts."""
    async with _run(folder, make, world=None) as course:
        await course.take_seats(count)
        yield course


@asynccontextmanager
async def a_kept_course(kept: Path, folder: Path, make: Maker, count: int) -> AsyncIterator[Course]:
    """The same from a copy of one that was kept, which is made first if there is none: linking many takes long."""
    await keep(kept, folder / "first", make, count)
    shutil.copytree(kept / "contestant", folder / "again" / "contestant")
    async with _run(folder / "again", make, world=kept / "world") as course:
        course.seats += [Seat(*seat) for seat in json.loads((kept / "seats.json").read_text())]
        await course.connected()
        yield course


async def keep(kept: Path, folder: Path, make: Maker, count: int) -> None:
    """Keep a lab's world and a contestant with so many linked sessions, unless they are there already."""
    if kept.exists():
        return
    async with a_course(folder, make, count) as course:
        await course.contestant.stop()
        await course.lab.stub.SaveWorld(lab_service_pb2.SaveWorldRequest(folder=str(folder / "world")))
        (folder / "seats.json").write_text(json.dumps([(seat.session, seat.phone_number) for seat in course.seats]))
    kept.mkdir(parents=True)
    for part in ("contestant", "world"):
        shutil.copytree(folder / part, kept / part, ignore=shutil.ignore_patterns("*.sock", "*.log"))
    shutil.copy(folder / "seats.json", kept)


@asynccontextmanager
async def _run(folder: Path, make: Maker, *, world: Path | None) -> AsyncIterator[Course]:
    place = folder / "contestant"
    place.mkdir(parents=True, exist_ok=True)
    async with lab_process(folder / "lab", world=world) as lab:
        address, root_key, ca_file = lab.environment.values()
        contestant = make(place, LabAddress(address, root_key, Path(ca_file)))
        await contestant.start()
        try:
            yield Course(lab, contestant, [])
        finally:
            await contestant.stop()
