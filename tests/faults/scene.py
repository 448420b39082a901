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
from tests.stage.groups import Addressing, new_group
from tests.stage.lab import Lab, lab_process
from tests.stage.persons import Person
from tests.stage.shop import Shop, new_shop
from wagate.v1.message_service_pb2_grpc import MessageServiceStub

if TYPE_CHECKING:
    from wagate.v1.message_service_pb2_grpc import MessageServiceAsyncStub

LEASE_SECONDS: Final = 4.0
_CHATS: Final = 4
"""With how many persons each session speaks."""
_SPEAKERS: Final = 2
"""How many of them also speak in a group that it is in."""
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
    """All that takes part. `callers` has those of each session, the last of whom sends to `away`: a person who is away
    while things break, so that no receipt settles what is sent there, and what is unconfirmed must be repeated.
    """

    gateway: Gateway
    lab: Lab
    witness: Witness
    reader: Reader
    traffic: Traffic
    shops: list[Shop]
    persons: list[Person]
    away: Person
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
        stub: MessageServiceAsyncStub = MessageServiceStub(channel)
        shops, traffic = await _shops(gateway, lab, terms.sessions), Traffic()
        persons = [await lab.person(f"Person {number}") for number in range(max(terms.sessions, _CHATS))]
        friends = [[persons[(place + step) % len(persons)] for step in range(_CHATS)] for place in range(len(shops))]
        speakers = await _speakers(lab, shops, friends, traffic)
        away = await lab.person("Away")
        await away.go(online=False)
        callers = [
            [Caller(stub, shop, person, traffic, terms.seed) for person in (*known, away)]
            for shop, known in zip(shops, friends, strict=True)
        ]
        yield Scene(gateway, lab, witness, reader, traffic, shops, [*persons, away], away, callers, speakers)


async def _speakers(lab: Lab, shops: list[Shop], friends: list[list[Person]], traffic: Traffic) -> list[Speaker]:
    """Those who write to each session alone, and in a group; groups are of both forms in turn."""
    speakers: list[Speaker] = []
    for place, (shop, known) in enumerate(zip(shops, friends, strict=True)):
        members = known[:_SPEAKERS]
        numbers = [person.phone_number for person in members]
        addressing = list(Addressing)[place % len(Addressing)]
        group = await new_group(lab, *numbers, shop.phone_number, addressing=addressing)
        speakers += [Speaker(person, shop, traffic) for person in known]
        speakers += [Speaker(person, shop, traffic, group=group) for person in members]
    return speakers


async def _shops(gateway: Gateway, lab: Lab, count: int) -> list[Shop]:
    few = asyncio.Semaphore(_PAIRING_AT_ONCE)

    async def one() -> Shop:
        async with few:
            return await new_shop(gateway, lab)

    async with asyncio.TaskGroup() as group:
        pairing = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in pairing]
