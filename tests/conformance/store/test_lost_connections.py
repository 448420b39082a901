"""A connection to PostgreSQL that breaks: what is asked for is done once, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from gateway.adapters.sql.postgres import PostgresOptions
from gateway.adapters.sql.store import SqlStore, open_store
from gateway.domain.errors import StoreFull, StoreUnavailable
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.store.making import TENANT, stored_session, tell
from tests.stage.postgres import PostgresServer, postgres_server
from tests.stage.waiting import eventually
from tests.stage.wire import Wire, wire


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """An empty database; tests may change its tables."""
    async with postgres.database() as made:
        yield made


@pytest.fixture
async def beside(postgres: PostgresServer, url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the store's."""
    connection = await postgres.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def cuttable(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Wire]:
    """A wire to the server."""
    async with wire(postgres.folder, tmp_path) as it:
        yield it


async def restart(unit: UnitOfWork) -> int:
    session = await unit.sessions.get(TENANT, "sales")
    assert session is not None
    session.restarts += 1
    await unit.sessions.save(session)
    await tell(unit, session)
    return session.restarts


async def restarts(store: SqlStore) -> tuple[int, list[int]]:
    """How often the session was restarted, and the numbers of its events."""

    async def look(unit: UnitOfWork) -> tuple[Session | None, list[int]]:
        events = await unit.events.after(TENANT, 0, limit=100)
        return await unit.sessions.get(TENANT, "sales"), [event.sequence for event in events]

    session, sequences = await store.read(look)
    assert session is not None
    return session.restarts, sequences


WRITING = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
"""


async def test_a_unit_whose_connection_breaks_before_its_commit_is_run_again(
    url: str, beside: asyncpg.Connection
) -> None:
    runs = 0

    async def work(unit: UnitOfWork) -> int:
        nonlocal runs
        runs += 1
        session = await unit.sessions.get(TENANT, "sales")
        assert session is not None
        if runs == 1:
            assert await beside.fetchval(WRITING)
        return await restart(unit)

    async with open_store(url) as store:
        await stored_session(store)
        assert await store.write(work) == 1
        assert (runs, await restarts(store)) == (2, (1, [1]))


async def test_a_commit_whose_answer_is_lost_is_not_made_twice(url: str, cuttable: Wire) -> None:
    async with open_store(cuttable.url_over(url)) as store:
        await stored_session(store)
        cuttable.cut_behind = b"COMMIT"
        assert await store.write(restart) == 1
        assert (cuttable.cuts, await restarts(store)) == (1, (1, [1]))


ONE_COMMIT_FAILS = """
    CREATE SEQUENCE commits;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION fail();
"""


async def test_a_commit_that_broke_off_is_made_again(url: str, beside: asyncpg.Connection) -> None:
    async with open_store(url) as store:
        await stored_session(store)
        await beside.execute(ONE_COMMIT_FAILS)
        assert await store.write(restart) == 1
        assert await beside.fetchval("SELECT last_value FROM commits") == 2
        assert await restarts(store) == (1, [1])


async def test_a_reader_whose_connection_breaks_is_answered(url: str, beside: asyncpg.Connection) -> None:
    async with open_store(url) as store:
        await stored_session(store)
        before = await restarts(store)
        await beside.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle'")
        assert await restarts(store) == before


NO_ROOM = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON sessions EXECUTE FUNCTION refuse();
"""


async def test_a_disk_that_is_full_refuses_and_takes_again_once_there_is_room(
    url: str, beside: asyncpg.Connection
) -> None:
    async with open_store(url) as store:
        await beside.execute(NO_ROOM)
        with pytest.raises(StoreFull):
            await stored_session(store)
        assert not store.health().serving
        await beside.execute("DROP TRIGGER full_disk ON sessions")
        await stored_session(store)


async def test_a_database_that_went_away_refuses_and_serves_again_once_it_is_back() -> None:
    async with postgres_server(durable=True) as server:
        url = await server.new_database()
        async with open_store(url) as store:
            await stored_session(store)
            await store.write(restart)
            await server.kill()
            with pytest.raises(StoreUnavailable):
                await store.write(restart)
            with pytest.raises(StoreUnavailable):
                await restarts(store)
            await server.start()
            assert await restarts(store) == (1, [1])
            assert await store.write(restart) == 2


async def test_a_process_that_hangs_gives_back_what_it_holds_and_does_its_part_once_it_goes_on(url: str) -> None:
    impatient = PostgresOptions(idle_in_transaction_timeout=timedelta(seconds=1))
    async with open_store(url, options=impatient) as store, open_store(url) as other:
        await stored_session(store)
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hang(unit: UnitOfWork) -> int:
            count = await restart(unit)
            held.set()
            await go_on.wait()
            return count

        hanging = asyncio.create_task(store.write(hang))
        await eventually(held.is_set)
        assert await other.write(restart) == 1
        go_on.set()
        assert await hanging == 2
        assert await restarts(store) == (2, [1, 2])
