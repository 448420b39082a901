"""Workers whose WhatsApp is simulated: lines that come up by themselves, and end with their leases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import State
from gateway.ports.provider import Providers
from gateway.providers.simulator.simulation import Simulation
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.session_owner import SessionOwner
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import message_in_state, tools_of, worker
from tests.unit.workers.test_sharing import paired, shown

TTL, EVERY = timedelta(seconds=3), timedelta(milliseconds=200)
COUNT = 8


@asynccontextmanager
async def sailing(house: House, simulation: Simulation, name: str) -> AsyncIterator[None]:
    """A worker at work; stopped in the end."""
    tools = replace(tools_of(house, ttl=TTL), providers=Providers({"web": simulation}, "web"))
    terms = FleetTerms(100, TTL, EVERY)
    fleet = Fleet(worker(name), house.leases, house.queue, house.meter, terms, lambda lease: SessionOwner(lease, tools))
    stopping = asyncio.Event()
    working = asyncio.create_task(fleet.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(working, SECONDS)


@pytest.mark.timeout(90)
async def test_every_message_reaches_its_person_once_while_workers_come_and_go(house: House) -> None:
    simulation = Simulation()
    names = [f"s{number}" for number in range(COUNT)]
    inboxes = {f"+4915112345{place:03}": simulation.inbox(f"+4915112345{place:03}") for place in range(COUNT)}
    for name in names:
        await house.create(name)

    async def all_connected() -> bool:
        states = [(await house.session(name)).state for name in names]
        return all(state == State.STATE_CONNECTED for state in states)

    async def counts() -> Counter[str]:
        return Counter({name: one.session_count for name, one in (await shown(house)).items()})

    async def even() -> bool:
        return sorted((await counts()).values()) == [COUNT // 2, COUNT // 2]

    async def write(round_name: str) -> list[str]:
        return [
            await house.send(f"{name} {round_name}", to=number, session_id=name)
            for name, number in zip(names, inboxes, strict=True)
        ]

    sent: list[str] = []
    async with sailing(house, simulation, "w_1"):
        await asyncio.gather(*(paired(house, name) for name in names))
        await eventually(all_connected)
        sent += await write("alone")
        async with sailing(house, simulation, "w_2"):
            sent += await write("together")
            await eventually(even, 20)
            sent += await write("evenly")
        sent += await write("alone again")
        for message_id in sent:
            await message_in_state(house, message_id, MessageState.STATE_SENT)
    assert {inbox.qsize() for inbox in inboxes.values()} == {4}
    assert await house.log("session.suspended") == []
