"""The scene of a run: a gateway in a hurry, a lab, sessions, and those who keep them busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grpc import aio

from tests.faults.parts import Parts
from tests.faults.plan import Terms
from tests.faults.players import Caller, Speaker, Traffic
from tests.faults.readers import Reader, reading
from tests.faults.witness import Witness, witnessing
from tests.stage.fleet import running_fleet
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.groups import Addressing, new_group
from tests.stage.lab import Lab, lab_process
from tests.stage.persons import Person
from tests.stage.postgres import postgres_server
from tests.stage.redis import redis_server
from tests.stage.shop import Shop, new_shop
from wagate.v1.message_service_pb2_grpc import MessageServiceStub

_CHATS: Final = 4
"""With how many persons each session speaks."""
_SPEAKERS: Final = 2
"""How many of them also speak in a group that it is in."""
_PAIRING_AT_ONCE: Final = 4
_ENGINES: Final = 4
"""In how many engines the sessions of a fleet are, about."""
_IN_A_HURRY: Final = {
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
    """All that takes part. Each of `gateways` serves all; `parts` are those of a fleet, if it is one. `callers` has
    those of each session, the last of whom sends to `away`: a person who is away while things break, so that no receipt
    settles what is sent there, and what is unconfirmed must be repeated.
    """

    gateways: list[Gateway]
    parts: Parts | None
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
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(lab_process(folder / "lab"))
        witness = await stack.enter_async_context(witnessing(lab))
        parts = await stack.enter_async_context(_a_fleet(terms, lab, folder)) if terms.fleet else None
        gateways = list(parts.fleet.apis) if parts else [await stack.enter_async_context(_alone(terms, lab, folder))]
        addresses = [gateway.address for gateway in gateways]
        reader = await stack.enter_async_context(reading(addresses, folder / "reader.txt"))
        channels = [aio.insecure_channel(address, options=_IMPATIENT) for address in addresses]
        stubs = [MessageServiceStub(await stack.enter_async_context(channel)) for channel in channels]
        shops, traffic = await _shops(gateways[0], lab, terms.sessions), Traffic()
        persons = [await lab.person(f"Person {number}") for number in range(max(terms.sessions, _CHATS))]
        friends = [[persons[(place + step) % len(persons)] for step in range(_CHATS)] for place in range(len(shops))]
        speakers = await _speakers(lab, shops, friends, traffic)
        away = await lab.person("Away")
        await away.go(online=False)
        callers = [
            [Caller(stubs, shop, person, traffic, terms.seed) for person in (*known, away)]
            for shop, known in zip(shops, friends, strict=True)
        ]
        yield Scene(gateways, parts, lab, witness, reader, traffic, shops, [*persons, away], away, callers, speakers)


def _hurry(terms: Terms) -> dict[str, str]:
    lease = {"WAGATE_LEASES__TTL": f"{terms.lease}s", "WAGATE_LEASES__RENEW_EVERY": f"{terms.lease / 4}s"}
    return {**_IN_A_HURRY, **lease}


def _alone(terms: Terms, lab: Lab, folder: Path) -> AbstractAsyncContextManager[Gateway]:
    return gateway_process(folder / "gateway", {**lab.environment, **_hurry(terms)})


@asynccontextmanager
async def _a_fleet(terms: Terms, lab: Lab, folder: Path) -> AsyncIterator[Parts]:
    """Two API processes and two workers, with few sessions in each engine."""
    async with postgres_server(durable=terms.durable) as postgres, redis_server(folder / "redis") as redis:
        few = {"WAGATE_WORKER__SESSIONS_PER_ENGINE": str(-(-terms.sessions // _ENGINES))}
        running = running_fleet(folder, lab, postgres, redis, apis=2, workers=2, environment={**_hurry(terms), **few})
        async with running as fleet:
            yield Parts(fleet, postgres, redis)
            children = [api.process for api in fleet.apis] + [worker.process for worker in fleet.workers]
            for child in children:
                assert child.runs, f"it ended by itself:\n{child.last_words()}"


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
