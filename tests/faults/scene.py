"""The scene of a run: a gateway in a hurry, a lab, sessions, and those who keep them busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grpc import aio

from tests.faults.plan import Terms
from tests.faults.players import Caller, Speaker, Traffic
from tests.faults.readers import Reader, reading
from tests.faults.witness import Witness, witnessing
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab, lab_process
from tests.stage.persons import Person
from tests.stage.shop import Shop, new_shop
from wagate.v1.message_service_pb2_grpc import MessageServiceStub

if TYPE_CHECKING:
    from wagate.v1.message_service_pb2_grpc import MessageServiceAsyncStub

LEASE_SECONDS: Final = 4.0
_CHATS: Final = 2
"""With how many persons each session speaks."""
_PAIRING_AT_ONCE: Final = 4
_IN_A_HURRY: Final = {
    "WAGATE_LEASES__TTL": f"{LEASE_SECONDS}s",
    "WAGATE_LEASES__RENEW_EVERY": "1s",
    "WAGATE_ENGINE__PING_EVERY": "2s",
    "WAGATE_ENGINE__PING_PATIENCE": "2s",
    "WAGATE_OUTBOX__SEND_TIMEOUT": "3s",
    "WAGATE_LOG__LEVEL": "info",
}
_IMPATIENT: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
)


@dataclass(frozen=True)
class Scene:
    """All that takes part. `callers` has those of each session."""

    gateway: Gateway
    lab: Lab
    witness: Witness
    reader: Reader
    traffic: Traffic
    shops: list[Shop]
    persons: list[Person]
    callers: list[list[Caller]]
    speakers: list[Speaker]


@asynccontextmanager
async def a_scene(terms: Terms, folder: Path) -> AsyncIterator[Scene]:
    """Set the scene in an empty folder, for as long as the context lasts."""
    async with (
        lab_process(folder / "lab") as lab,
        witnessing(lab) as witness,
        gateway_process(folder / "gateway", {**lab.environment, **_IN_A_HURRY}) as gateway,
        reading(gateway.address, folder / "reader.txt") as reader,
        aio.insecure_channel(gateway.address, options=_IMPATIENT) as channel,
    ):
        shops = await _shops(gateway, lab, terms.sessions)
        persons = [await lab.person(f"Person {number}") for number in range(terms.sessions)]
        traffic = Traffic()
        pairs = [
            [(shop, persons[(place + step) % len(persons)]) for step in range(min(_CHATS, len(persons)))]
            for place, shop in enumerate(shops)
        ]
        stub: MessageServiceAsyncStub = MessageServiceStub(channel)
        callers = [
            [
                Caller(stub, shop.session_id, person.phone_number, traffic, terms.seed + place)
                for place, (shop, person) in enumerate(of_shop)
            ]
            for of_shop in pairs
        ]
        speakers = [
            Speaker(person, shop.session_id, shop.phone_number, traffic)
            for of_shop in pairs
            for shop, person in of_shop
        ]
        yield Scene(gateway, lab, witness, reader, traffic, shops, persons, callers, speakers)


async def _shops(gateway: Gateway, lab: Lab, count: int) -> list[Shop]:
    few = asyncio.Semaphore(_PAIRING_AT_ONCE)

    async def one() -> Shop:
        async with few:
            return await new_shop(gateway, lab)

    async with asyncio.TaskGroup() as group:
        pairing = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in pairing]
