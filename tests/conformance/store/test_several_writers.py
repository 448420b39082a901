"""Several write to one PostgreSQL: nothing is lost, nothing is passed over, and nobody waits for a stranger."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.sql.leases import SqlLeases
from gateway.adapters.sql.store import SqlStore, open_store
from gateway.domain.addresses import Address, Form
from gateway.domain.events import StoredEvent
from gateway.domain.messages import Message
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import MessageFilter, Prefetch, Store, UnitOfWork
from tests.conformance.store.calls import Call
from tests.conformance.store.making import TENANT, message, person, stored, stored_session, tell
from tests.conformance.store.test_outcomes import every_call, prepare_store
from tests.stage.children import Child, child
from tests.stage.postgres import PostgresServer
from tests.stage.programs import ROOT
from tests.stage.waiting import eventually

WRITERS = 3


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """An empty database that several stores open."""
    lent = await postgres.lend()
    yield lent
    await postgres.take_back(lent)


@asynccontextmanager
async def several(url: str, count: int = WRITERS) -> AsyncIterator[list[SqlStore]]:
    """Stores, each with connections of its own, as in as many processes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_store(url)) for _ in range(count)]


async def log(store: Store, position: int = 0) -> list[StoredEvent]:
    return await store.read(lambda unit: unit.events.after(None, position, limit=10_000))


async def unsent(unit: UnitOfWork, session: Session) -> list[Message]:
    return await unit.messages.page(TENANT, MessageFilter(session=session), before_ordinal=None, limit=9)


def hint(session: Session) -> Prefetch:
    return Prefetch(sessions=((TENANT, session.session_id),))


@pytest.mark.parametrize("is_hinted", [True, False])
async def test_changes_that_several_make_to_one_session_are_all_kept(url: str, is_hinted: bool) -> None:
    async with several(url) as stores:
        session = await stored_session(stores[0])

        async def restart(unit: UnitOfWork) -> None:
            found = await unit.sessions.get(TENANT, "sales")
            assert found is not None
            found.restarts += 1
            await unit.sessions.save(found)
            await tell(unit, found)

        async def caller(store: SqlStore) -> None:
            for _ in range(10):
                await store.write(restart, hint(session) if is_hinted else Prefetch())

        await asyncio.gather(*(caller(store) for store in stores for _ in range(2)))
        found = await stores[0].read(lambda unit: unit.sessions.get(TENANT, "sales"))
        assert found is not None
        assert found.restarts == 10 * 2 * WRITERS
        assert [event.sequence for event in await log(stores[0])] == list(range(1, found.restarts + 1))


async def test_changes_that_several_make_to_one_message_are_all_kept(url: str) -> None:
    async with several(url) as stores:
        one = message(await stored_session(stores[0]))
        await stored(stores[0], one)

        async def try_again(unit: UnitOfWork) -> None:
            found = await unit.messages.get(TENANT, one.message_id)
            assert found is not None
            found.attempt_count += 1
            await unit.messages.save(found)

        async def caller(store: SqlStore) -> None:
            for _ in range(10):
                await store.write(try_again)

        await asyncio.gather(*(caller(store) for store in stores))
        found = await stores[0].read(lambda unit: unit.messages.get(TENANT, one.message_id))
        assert found is not None
        assert found.attempt_count == 10 * WRITERS


async def test_changes_that_several_make_to_one_person_are_all_kept(url: str) -> None:
    async with several(url) as stores:
        ada = person(lid="1@lid")
        await stores[0].write(lambda unit: unit.identities.add(TENANT, ada))

        async def caller(store: SqlStore, letter: str) -> None:
            async def append(unit: UnitOfWork) -> None:
                found = await unit.identities.get(TENANT, ada.identity_id)
                assert found is not None
                found.display_name += letter
                await unit.identities.save(TENANT, found)

            for _ in range(5):
                await store.write(append)

        await asyncio.gather(*(caller(store, letter) for store, letter in zip(stores, "abc", strict=True)))
        found = await stores[0].read(lambda unit: unit.identities.get(TENANT, ada.identity_id))
        assert found is not None
        assert sorted(found.display_name) == sorted("abc" * 5)


async def test_somebody_whom_several_meet_at_once_is_one_person(url: str) -> None:
    address = Address(Form.LID, "7@lid")

    async def meet(unit: UnitOfWork) -> str:
        known = await unit.identities.find(TENANT, [address])
        if address in known:
            return known[address].identity_id
        new = person(lid="7@lid")
        await unit.identities.add(TENANT, new)
        return new.identity_id

    async with several(url) as stores:
        assert len(set(await asyncio.gather(*(store.write(meet) for store in stores)))) == 1


async def test_what_is_said_to_one_while_another_makes_two_of_them_one_is_found_under_the_one(url: str) -> None:
    async with several(url, 2) as (one, other):
        session = await stored_session(one)
        ada, twin = person(lid="1@lid"), person(lid="2@lid")
        for somebody in (ada, twin):
            await one.write(lambda unit, somebody=somebody: unit.identities.add(TENANT, somebody))  # type: ignore[misc]
        looked, go_on = asyncio.Event(), asyncio.Event()

        async def write(unit: UnitOfWork) -> None:
            found = await unit.identities.get(TENANT, twin.identity_id)
            assert found is not None
            looked.set()
            await go_on.wait()
            await unit.messages.add(message(session, found.identity_id))

        async def join(unit: UnitOfWork) -> None:
            await unit.messages.move_chat(TENANT, twin.identity_id, ada.identity_id)
            await unit.identities.absorb(TENANT, ada.identity_id, twin.identity_id)

        writing = asyncio.create_task(one.write(write))
        await looked.wait()
        joining = asyncio.create_task(other.write(join))
        await asyncio.sleep(0.5)  # as long as joining may take where it does not wait
        assert not joining.done()
        go_on.set()
        await asyncio.gather(writing, joining)
        waiting = await one.read(lambda unit: unsent(unit, session))
        assert [found.chat_id for found in waiting] == [ada.identity_id]


async def held_open(url: str, seconds: float) -> None:
    """One writer is held open with its rows written, while another writes, and a reader follows."""
    async with several(url, 2) as (slow, quick):
        sales, desk = await stored_session(slow, "sales"), await stored_session(slow, "desk")
        before = len(await log(quick))
        written, go_on = asyncio.Event(), asyncio.Event()

        async def hold(unit: UnitOfWork) -> None:
            session = await unit.sessions.get(TENANT, "sales")
            assert session is not None
            await unit.messages.add(message(session))
            assert len(await unsent(unit, session)) == 1
            await tell(unit, session, kind="message_accepted")
            written.set()
            await go_on.wait()

        held = asyncio.create_task(slow.write(hold))
        await eventually(written.is_set)
        behind = asyncio.create_task(quick.write(lambda unit: tell_of(unit, "sales"), hint(sales)))
        loop = asyncio.get_running_loop()
        until, longest, count, cursor = loop.time() + seconds, 0.0, 0, 0
        while loop.time() < until:
            begun = loop.time()
            await quick.write(lambda unit: tell_of(unit, "desk"), hint(desk))
            count += 1
            seen = await log(quick, cursor)
            longest = max(longest, loop.time() - begun)
            cursor = seen[-1].position
        assert longest < 2
        assert not behind.done()
        go_on.set()
        await asyncio.gather(held, behind)
        rest = await log(quick, cursor)
        assert [(one.session_id, one.sequence) for one in rest] == [("sales", 1), ("sales", 2)]
        everything = await log(quick)
        told_at = rest[0].record_time
        start = await quick.read(lambda unit: unit.events.position_before(TENANT, told_at))
        assert [one for one in everything if one.record_time >= told_at] == await log(quick, start)
        assert len(everything) == before + count + 2
        assert [one.sequence for one in everything if one.session_id == "desk"] == list(range(1, count + 1))


async def tell_of(unit: UnitOfWork, name: str) -> None:
    await tell(unit, await unit.sessions.get(TENANT, name))


async def test_a_writer_that_is_held_open_delays_nobody_elses_events_and_loses_none_of_its_own(url: str) -> None:
    await held_open(url, 1)


@pytest.mark.slow
async def test_so_does_one_that_is_held_open_for_ten_seconds(url: str) -> None:
    await held_open(url, 10)


async def follow(store: Store, seen: list[StoredEvent], done: asyncio.Event) -> None:
    """Read the log from cursor to cursor, until there is no more."""
    while True:
        is_last = done.is_set()
        found = await log(store, seen[-1].position if seen else 0)
        seen += found
        if is_last and not found:
            return


async def deadlocks(postgres: PostgresServer, url: str) -> int:
    """How many the database has broken up."""
    connection = await postgres.connect(url)
    try:
        count: int = await connection.fetchval(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count
    finally:
        await connection.close()


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("postgres")
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(some=st.lists(st.lists(every_call, min_size=1, max_size=12), min_size=2, max_size=4))
async def test_whatever_several_do_at_once_is_one_log_without_gaps_in_the_order_in_which_it_came(
    postgres: PostgresServer, some: list[list[Call]]
) -> None:
    url = await postgres.lend()
    async with several(url, len(some)) as stores:
        await prepare_store(stores[0], SqlLeases(stores[0]))
        seen: list[StoredEvent] = []
        done = asyncio.Event()
        following = asyncio.create_task(follow(stores[0], seen, done))

        async def outcome(store: SqlStore, call: Call, number: int) -> object:
            try:
                return await store.write(lambda unit: call.work(unit, number), call.prefetch)
            except Exception as error:  # noqa: BLE001  # what a call raises is its outcome
                return type(error).__name__

        asked = [(store, call) for store, calls in zip(stores, some, strict=True) for call in calls]
        outcomes = await asyncio.gather(*(outcome(*one, number) for number, one in enumerate(asked)))
        done.set()
        await following
        assert seen == await log(stores[0])
    assert await deadlocks(postgres, url) == 0
    assert not {"StoreUnavailable", "ConnectionLost", "Contended"}.intersection(map(str, outcomes))
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in seen:
        sequences[event.session_uid].append(event.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())
    await postgres.take_back(url)


@pytest.mark.timeout(180)
async def test_processes_that_are_stopped_and_killed_at_any_moment_leave_one_log_without_gaps(
    url: str, tmp_path: Path
) -> None:
    """One of four is killed, and one is stopped until the others have done all that they are asked for."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(url))
        await prepare_store(store, SqlLeases(store))
        seen: list[StoredEvent] = []
        done = asyncio.Event()
        following = asyncio.create_task(follow(store, seen, done))
        racers = [await stack.enter_async_context(racer(url, seed, tmp_path)) for seed in range(1, 5)]
        stopped, killed, *others = racers
        await eventually(lambda: len(seen) > 30, 120)
        stopped.signal(signal.SIGSTOP)
        await killed.kill()
        said = [await one.said() for one in others]
        stopped.signal(signal.SIGCONT)
        troubles = {word.decode() for line in (*said, await stopped.said()) for word in line.split()}
        assert troubles <= {"Refused", "LeaseLost", "RequestIdReused"}
        done.set()
        await following
        assert seen == await log(store)
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in seen:
        sequences[event.session_uid].append(event.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())


def racer(url: str, seed: int, folder: Path) -> AbstractAsyncContextManager[Child]:
    """A process of `racing_child`."""
    command = (sys.executable, "-m", "tests.conformance.store.racing_child", url, str(seed), "120")
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return child(*command, log=folder / f"racer{seed}.log", environment=environment)
