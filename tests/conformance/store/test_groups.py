"""Units in groups: each whole or not at all, each answered after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.domain.messages import Receipt
from gateway.domain.sessions import new_session
from gateway.ports.queue import EVENTS
from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.store.making import TENANT, ids, message, person, stored, stored_session, tell, told
from tests.conformance.store.stage import NOON, Stage

Unit = Callable[[UnitOfWork], Awaitable[object]]


class Refused(Exception):
    """A unit decided against it."""


async def in_one_group(stage: Stage, *units: Unit) -> list[object]:
    """Run units that are asked for at once; what they return or raise."""
    results = await asyncio.gather(*(stage.store.write(unit) for unit in units), return_exceptions=True)
    assert stage.groups[-1] == len(units)
    return results


async def test_what_is_asked_for_at_once_is_committed_at_once(stage: Stage) -> None:
    session = await stored_session(stage.store)
    before = len(stage.groups)
    await asyncio.gather(*(stored(stage.store, message(session)) for _ in range(100)))
    assert stage.groups[before:] == [100]


async def test_a_unit_sees_the_units_before_it(stage: Stage) -> None:
    ada = person(lid="1@lid")

    async def add(unit: UnitOfWork) -> None:
        await unit.identities.add(TENANT, ada)
        await unit.sessions.add(new_session(TENANT, "sales", "web", NOON))

    async def look(unit: UnitOfWork) -> tuple[bool, bool, int]:
        session = await unit.sessions.get(TENANT, "sales")
        page = await unit.sessions.page(TENANT, after="", limit=10)
        return session is not None, await unit.identities.get(TENANT, ada.identity_id) == ada, len(page)

    assert await in_one_group(stage, add, look) == [None, (True, True, 1)]


async def test_a_message_has_its_ordinal_for_the_unit_behind_the_one_that_added_it(stage: Stage) -> None:
    session = await stored_session(stage.store)
    one = message(session)

    async def look(unit: UnitOfWork) -> int:
        found = await unit.messages.get(TENANT, one.message_id)
        assert found is not None
        return found.ordinal

    _, ordinal = await in_one_group(stage, lambda unit: unit.messages.add(one), look)
    assert ordinal == await stage.store.read(look)


async def test_a_receipt_has_its_ordinal_for_the_unit_behind_the_one_that_stored_it(stage: Stage) -> None:
    async def look(unit: UnitOfWork) -> int:
        found = await unit.receipts.get("m_1", "p_a")
        assert found is not None
        return found.ordinal

    _, ordinal = await in_one_group(stage, lambda unit: unit.receipts.save(Receipt(TENANT, "m_1", "p_a", NOON)), look)
    assert ordinal == await stage.store.read(look)


async def test_a_unit_that_fails_leaves_nothing_and_hurts_nobody(stage: Stage) -> None:
    session = await stored_session(stage.store)
    first, failed, last = (message(session) for _ in range(3))

    async def fail(unit: UnitOfWork) -> None:
        await unit.messages.add(failed)
        await tell(unit, session)
        changed = await unit.sessions.get(TENANT, "sales")
        assert changed is not None
        changed.display_name = "failed"
        await unit.sessions.save(changed)
        unit.ring("failed")
        raise Refused

    async def add_and_tell(unit: UnitOfWork) -> None:
        await unit.messages.add(last)
        await tell(unit, session)

    results = await in_one_group(stage, lambda unit: unit.messages.add(first), fail, add_and_tell)
    assert [type(result) for result in results] == [type(None), Refused, type(None)]
    assert ids(await stage.store.read(lambda unit: unit.messages.unsent(session.uid, limit=9))) == ids([first, last])
    assert await stage.store.read(lambda unit: unit.sessions.get(TENANT, "sales")) == session
    events = await stage.store.read(lambda unit: unit.events.after(TENANT, 0, limit=9))
    assert [event.sequence for event in events] == [1]
    assert stage.rings == [(EVENTS,)]


async def test_a_unit_that_fails_after_it_read_a_list_leaves_nothing(stage: Stage) -> None:
    session = await stored_session(stage.store)
    kept, failed = message(session), message(session)

    async def fail(unit: UnitOfWork) -> None:
        await unit.messages.add(failed)
        assert len(await unit.messages.unsent(session.uid, limit=9)) == 2
        await unit.messages.move_chat(TENANT, "p_ada", "p_new")
        await unit.messages.add(message(session))
        raise Refused

    async def look(unit: UnitOfWork) -> list[str]:
        return [one.chat_id for one in await unit.messages.unsent(session.uid, limit=9)]

    results = await in_one_group(stage, lambda unit: unit.messages.add(kept), fail, look)
    assert results[2] == ["p_ada"]
    assert await stage.store.read(look) == ["p_ada"]


async def test_a_session_deleted_by_its_uid_is_gone_for_the_unit_behind(stage: Stage) -> None:
    session = await stored_session(stage.store)

    async def delete(unit: UnitOfWork) -> None:
        found = await unit.sessions.get_by_uid(session.uid)
        assert found is not None
        found.deleted_time = unit.now
        await unit.sessions.save(found)

    async def look(unit: UnitOfWork) -> bool:
        return await unit.sessions.get(TENANT, "sales") is None

    assert await in_one_group(stage, delete, look) == [None, True]


async def test_rows_that_do_not_fit_fail_their_own_unit_alone(stage: Stage) -> None:
    session = await stored_session(stage.store)
    await stored(stage.store, message(session, provider_message_id="A"))
    good = [message(session) for _ in range(3)]
    units: list[Unit] = [lambda unit, one=one: unit.messages.add(one) for one in good]  # type: ignore[misc]
    units.insert(1, lambda unit: unit.messages.add(message(session, provider_message_id="A")))
    results = await asyncio.gather(*(stage.store.write(unit) for unit in units), return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False, False]
    unsent = await stage.store.read(lambda unit: unit.messages.unsent(session.uid, limit=9))
    assert ids(unsent)[1:] == ids(good)


async def test_bells_ring_once_per_group_and_after_the_commit(stage: Stage) -> None:
    session = await stored_session(stage.store)

    async def work(unit: UnitOfWork) -> None:
        assert stage.rings == []
        await tell(unit, session)
        unit.ring("a")
        unit.ring("b")

    await in_one_group(stage, work, work, work)
    assert stage.rings == [("a", "b", EVENTS)]


async def test_a_caller_that_is_cancelled_withdraws_nothing(stage: Stage) -> None:
    session = await stored_session(stage.store)
    one = message(session)
    call = asyncio.create_task(stored(stage.store, one))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await told(stage.store, 1, session)
    assert await stage.store.read(lambda unit: unit.messages.get(TENANT, one.message_id)) is not None


async def test_the_moment_of_a_unit_does_not_go_back(stage: Stage) -> None:
    async def moment(unit: UnitOfWork) -> object:
        return unit.now

    first = await stage.store.write(moment)
    stage.clock.move(hours=-1)
    second = await stage.store.write(moment)
    assert isinstance(first, type(NOON))
    assert isinstance(second, type(NOON))
    assert first <= second < NOON.replace(minute=1)
    stage.clock.move(hours=2)
    assert await stage.store.write(moment) == stage.clock.now


async def test_a_reading_unit_sees_one_snapshot_and_changes_nothing(stage: Stage) -> None:
    session = await stored_session(stage.store)

    async def look_twice(unit: UnitOfWork) -> tuple[int, int]:
        first = await unit.sessions.page(TENANT, after="", limit=9)
        await stored_session(stage.store, "meanwhile")
        second = await unit.sessions.page(TENANT, after="", limit=9)
        return len(first), len(second)

    assert await stage.store.read(look_twice) == (1, 1)
    with pytest.raises(TypeError):
        await stage.store.read(lambda unit: unit.messages.add(message(session)))


async def test_many_more_readers_than_connections_are_all_answered(stage: Stage) -> None:
    await stored_session(stage.store)
    found = await asyncio.gather(
        *(stage.store.read(lambda unit: unit.sessions.get(TENANT, "sales")) for _ in range(50))
    )
    assert all(session is not None for session in found)


async def test_a_reader_that_is_cancelled_does_not_spoil_its_connection(stage: Stage) -> None:
    await stored_session(stage.store)
    for _ in range(20):
        call = asyncio.create_task(stage.store.read(lambda unit: unit.sessions.get(TENANT, "sales")))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await stage.store.read(lambda unit: unit.sessions.get(TENANT, "sales")) is not None


async def test_the_log_can_be_read_in_a_unit_that_stored_something(stage: Stage) -> None:
    session = await stored_session(stage.store)

    async def look(unit: UnitOfWork) -> int:
        await unit.messages.add(message(session))
        await unit.messages.chat_heads(session.uid, NOON)
        return await unit.events.newest()

    async def work(unit: UnitOfWork) -> None:
        await tell(unit, session)

    results = await asyncio.gather(stage.store.write(work), stage.store.write(look), stage.store.write(work))
    events = await stage.store.read(lambda unit: unit.events.after(TENANT, 0, limit=9))
    assert [event.sequence for event in events] == [1, 2]
    assert results[1] == events[0].position
