"""What happens when the store is closed, opened again, or cannot write."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import open_store
from gateway.domain.errors import ShuttingDown, StoreUnavailable
from gateway.ports.unit_of_work import Store
from tests.conformance.store.making import TENANT, message, stored, stored_session, told
from tests.conformance.store.stage import STAGES, sqlite_stage


@pytest.fixture(params=sorted(STAGES))
def stage_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_what_waits_is_written_when_the_store_closes(stage_name: str, folder: Path) -> None:
    async with STAGES[stage_name](folder) as stage:
        session = await stored_session(stage.store)
        some = [message(session) for _ in range(20)]
        calls = [asyncio.create_task(stored(stage.store, one)) for one in some]
        await asyncio.sleep(0)
        closed = stage.store
    await asyncio.gather(*calls)
    with pytest.raises(ShuttingDown):
        await stored(closed, message(session))
    async with STAGES[stage_name](folder) as stage:
        unsent = await stage.store.read(lambda unit: unit.messages.unsent(session.uid, limit=99))
    assert len(unsent) == 20


async def test_a_store_that_is_opened_again_goes_on_where_it_was(stage_name: str, folder: Path) -> None:
    async with STAGES[stage_name](folder) as stage:
        session = await stored_session(stage.store)
        await told(stage.store, 2, session)
        cursor = stage.signer.cursor(TENANT, 2)
        stage.clock.move(hours=1)
        await told(stage.store, 1, session)
        latest = stage.clock.now
    async with STAGES[stage_name](folder) as stage:
        assert stage.signer.position(TENANT, cursor) == 2
        await told(stage.store, 1, session)
        events = await stage.store.read(lambda unit: unit.events.after(TENANT, 0, limit=9))
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert sorted({event.position for event in events}) == [event.position for event in events]
    assert events[3].record_time >= latest


async def test_a_database_that_is_locked_refuses_and_nothing_was_changed(tmp_path: Path) -> None:
    async with sqlite_stage(tmp_path) as stage:
        session = await stored_session(stage.store)
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(stored(stage.store, message(session)) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreUnavailable] * 3
        assert await unsent(stage.store, session.uid) == 0
        other.execute("ROLLBACK")
        other.close()
        await stored(stage.store, message(session))
        assert await unsent(stage.store, session.uid) == 1


async def unsent(store: Store, uid: str) -> int:
    return (await store.read(lambda unit: unit.sessions.outbox(uid))).count


async def test_a_database_that_fails_refuses_and_goes_on_when_it_is_mended(tmp_path: Path) -> None:
    async with sqlite_stage(tmp_path) as stage:
        session = await stored_session(stage.store)
        with sqlite3.connect(tmp_path / "store.db") as other:
            other.execute("ALTER TABLE messages RENAME TO messages_gone")
        with pytest.raises(StoreUnavailable):
            await stored(stage.store, message(session))
        with sqlite3.connect(tmp_path / "store.db") as other:
            other.execute("ALTER TABLE messages_gone RENAME TO messages")
        await stored(stage.store, message(session))
        assert await unsent(stage.store, session.uid) == 1


async def test_a_database_that_is_not_there_cannot_be_opened_and_leaves_nothing_running(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises(StoreUnavailable):
        async with open_store(url_of(tmp_path / "nowhere" / "store.db")):
            pass
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if not thread.name.startswith("asyncio")]
