"""Owners and fleets at work in a house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from gateway.domain.leases import Lease
from gateway.domain.sessions import State
from gateway.domain.workers import Worker
from gateway.ports.leases import Leases
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.session_owner import SessionOwner
from tests.stage.waiting import eventually
from tests.unit.services.house import LEASE_FOR, House
from tests.unit.workers.scripted_provider import ScriptedLine, alone

SETTLE_FOR = timedelta(milliseconds=50)


def tools_of(
    house: House, *, ttl: timedelta = LEASE_FOR, redial_after: timedelta = timedelta(seconds=10)
) -> OwnerTools:
    """What owners of a house work with; they settle in a twentieth of a second."""
    return OwnerTools(
        providers=alone(house.provider),
        queue=house.queue,
        meter=house.meter,
        lines=house.lines,
        inbox=house.inbox,
        receipts=house.receipts,
        restrictions=house.restrictions,
        outbox=house.outbox,
        questions=house.questions,
        pairing_log=house.pairing_log,
        faults=house.faults,
        lease_ttl=ttl,
        send_timeout=timedelta(seconds=20),
        settle_for=SETTLE_FOR,
        redial_after=redial_after,
    )


@asynccontextmanager
async def owned(house: House, lease: Lease, tools: OwnerTools | None = None) -> AsyncIterator[asyncio.Task[None]]:
    """An owner at work on a session; it is cancelled in the end, if it has not ended by itself."""
    working = asyncio.create_task(SessionOwner(lease, tools or tools_of(house)).run())
    try:
        yield working
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


@asynccontextmanager
async def connected(house: House, lease: Lease, tools: OwnerTools | None = None) -> AsyncIterator[ScriptedLine]:
    """An owner at work on a session whose line is up."""
    number = len(house.provider.lines) + 1
    async with owned(house, lease, tools):
        line = await house.provider.line(number)
        await line.come_up()
        yield line


@asynccontextmanager
async def sailing(
    house: House,
    name: str = "w_1",
    *,
    ttl: float = 1000.0,
    every: float = 300.0,
    left_over: float = 5.0,
    leases: Leases | None = None,
) -> AsyncIterator[Fleet]:
    """A fleet at work; stopped in the end."""
    terms = FleetTerms(100, timedelta(seconds=ttl), timedelta(seconds=every), timedelta(seconds=left_over))
    tools = tools_of(house, ttl=terms.ttl)
    fleet = Fleet(
        worker(name), leases or house.leases, house.queue, house.meter, terms, lambda lease: SessionOwner(lease, tools)
    )
    stopping = asyncio.Event()
    working = asyncio.create_task(fleet.run(stopping))
    try:
        yield fleet
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await working


def worker(name: str = "w_1", capacity: int = 100) -> Worker:
    """A worker that starts now."""
    return Worker(name, f"machine of {name}", "1.0", datetime.now(UTC), capacity)


async def never_paired(house: House) -> Lease:
    """The lease of a session that was never paired."""
    await house.create()
    (lease,) = await house.leases.claim("w_test", limit=1, ttl=LEASE_FOR)
    return lease


async def in_state(house: House, state: State.ValueType, session_id: str = "sales") -> None:
    """Wait until a session is in a state."""

    async def is_there() -> bool:
        return (await house.session(session_id)).state == state

    await eventually(is_there)


async def message_in_state(house: House, message_id: str, state: object) -> None:
    """Wait until a message is in a state."""

    async def is_there() -> bool:
        return (await house.message(message_id)).state == state

    await eventually(is_there)


async def another_owner_takes(house: House, lease: Lease) -> Lease:
    """The lease runs out, and another process takes the session over."""
    await house.leases.release(lease)
    (taken,) = await house.leases.claim("w_other", limit=1, ttl=LEASE_FOR)
    assert taken.session_uid == lease.session_uid
    return taken
