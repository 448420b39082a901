"""The store by itself: units that accept a message as SendMessage does, without the calls around them."""

from __future__ import annotations

import asyncio
import time
from statistics import median
from typing import Final

from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import open_store
from gateway.domain.addresses import Address, parse_address
from gateway.domain.events import draft
from gateway.domain.identities import Names, new_person
from gateway.domain.ids import EVENT, make_id
from gateway.domain.sessions import Session
from gateway.ports.queue import outbox_bell
from gateway.ports.unit_of_work import Prefetch, Store, UnitOfWork
from tests.benchmarks.figures import Figure
from tests.benchmarks.house import House
from tests.conformance.store.making import TENANT, message, stored_session
from tests.conformance.store.stage import NOON
from wagate.v1 import event_pb2

_PLACES: Final = 50
_CALLERS: Final = 64
_UNITS: Final = 100
_ALONE: Final = 300
_ROUNDS: Final = 5


async def measure(house: House) -> list[Figure]:
    """Measure what 64 callers get done, what a unit costs the processor, and how long one caller waits."""
    url = url_of(house.folder / "store.db")
    await migrate(url)
    async with open_store(url) as store:
        places = [await _place(store, number) for number in range(_PLACES)]
        await _round(store, places)
        rounds = [await _round(store, places) for _ in range(_ROUNDS)]
        alone = [await _timed(store, places, number) for number in range(_ALONE)]
    rates, costs = zip(*rounds, strict=True)
    return [
        Figure(f"Units stored, {_CALLERS} callers", median(rates), "units/s", runs=list(rates)),
        Figure(f"A unit's processor time, {_CALLERS} callers", median(costs), "µs", runs=list(costs)),
        Figure("A unit stored, one caller, p50", median(alone), "ms", runs=alone),
    ]


async def _place(store: Store, number: int) -> tuple[Session, Address]:
    session = await stored_session(store, f"session-{number}")
    person = new_person(Names(phone_number=f"+4477009{number:05}"), NOON)
    await store.write(lambda unit: unit.identities.add(TENANT, person))
    return session, parse_address(person.phone_number)


async def _round(store: Store, places: list[tuple[Session, Address]]) -> tuple[float, float]:
    async def caller(first: int) -> None:
        for number in range(first, first + _UNITS):
            await _accept(store, places, number)

    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller(first) for first in range(_CALLERS)))
    count = _CALLERS * _UNITS
    return count / (time.perf_counter() - begun), (time.process_time() - used) / count * 1e6


async def _timed(store: Store, places: list[tuple[Session, Address]], number: int) -> float:
    begun = time.perf_counter()
    await _accept(store, places, number)
    return (time.perf_counter() - begun) * 1000


async def _accept(store: Store, places: list[tuple[Session, Address]], number: int) -> None:
    session, address = places[number % len(places)]

    async def work(unit: UnitOfWork) -> None:
        found = await unit.sessions.get(TENANT, session.session_id)
        chat = (await unit.identities.find(TENANT, [address]))[address]
        accepted = message(found or session, chat.identity_id, provider_message_id=make_id("3EB0"))
        await unit.messages.add(accepted)
        shown = event_pb2.MessageAccepted(message=accepted.to_proto(chat, chat))
        event = draft(
            event_pb2.Event(message_accepted=shown),
            event_id=make_id(EVENT),
            record_time=unit.now,
            session_id=session.session_id,
            session_uid=session.uid,
            chat_id=chat.identity_id,
        )
        await unit.events.tell(TENANT, event)
        unit.ring(outbox_bell(session.uid))

    hint = Prefetch(sessions=((TENANT, session.session_id),), addresses=((TENANT, address),))
    await store.write(work, hint)
