from __future__ import annotations

import pytest

from gateway.domain.events import EventFilter, StoredEvent
from gateway.ports.unit_of_work import LogEnds, Store, UnitOfWork
from tests.conformance.store.making import TENANT, stored_session, tell, told
from tests.conformance.store.stage import NOON, Stage
from wagate.v1 import event_pb2


async def log(store: Store, tenant_id: str | None = TENANT, position: int = 0, limit: int = 1000) -> list[StoredEvent]:
    return await store.read(lambda unit: unit.events.after(tenant_id, position, limit=limit))


async def test_sequences_count_each_session_and_the_tenant_from_one_without_a_gap(store: Store) -> None:
    sales, help_desk = await stored_session(store, "sales"), await stored_session(store, "help")
    for _ in range(3):
        await told(store, 2, sales)
        await told(store, 1, help_desk)
        await told(store, 1)
    events = await log(store)
    assert [one.sequence for one in events if one.session_uid == sales.uid] == [1, 2, 3, 4, 5, 6]
    assert [one.sequence for one in events if one.session_uid == help_desk.uid] == [1, 2, 3]
    assert [one.sequence for one in events if not one.session_uid] == [1, 2, 3]


async def test_the_log_is_in_the_order_in_which_events_were_told(store: Store) -> None:
    session = await stored_session(store)

    async def work(unit: UnitOfWork) -> list[str]:
        return [await tell(unit, of) for of in (None, session, None, session)]

    ids = await store.write(work)
    events = await log(store)
    assert [event_pb2.Event.FromString(one.body).event_id for one in events] == ids
    positions = [one.position for one in events]
    assert positions == sorted(set(positions))


async def test_an_event_comes_back_as_it_was_told(store: Store) -> None:
    session = await stored_session(store)
    (event_id,) = await told(store, 1, session, chat_id="p_a", kind="message_accepted")
    (event,) = await log(store)
    assert (event.tenant_id, event.session_id, event.session_uid) == (TENANT, "sales", session.uid)
    assert (event.kind, event.chat_id, event.record_time) == ("message.accepted", "p_a", NOON)
    body = event_pb2.Event.FromString(event.body)
    assert (body.event_id, body.sequence, body.cursor) == (event_id, 0, "")


async def test_the_log_is_read_from_any_position_on(store: Store) -> None:
    await told(store, 10)
    events = await log(store)
    assert await log(store, position=events[3].position) == events[4:]
    assert await log(store, position=events[3].position, limit=2) == events[4:6]
    assert await log(store, position=events[-1].position) == []


async def test_each_tenant_reads_its_own_log_and_the_house_reads_all(store: Store) -> None:
    await told(store, 1)
    await told(store, 1, tenant_id="other")
    assert [one.tenant_id for one in await log(store)] == [TENANT]
    assert [one.tenant_id for one in await log(store, "other")] == ["other"]
    assert [one.tenant_id for one in await log(store, None)] == [TENANT, "other"]
    assert [one.sequence for one in await log(store, None)] == [1, 1]


FILTERS = [
    EventFilter(),
    EventFilter(tenant_events=False),
    EventFilter(session_ids=frozenset({"sales"})),
    EventFilter(session_ids=frozenset({"sales"}), tenant_events=False),
    EventFilter(kinds=frozenset({"message.*"})),
    EventFilter(kinds=frozenset({"message.accepted", "identity.merged"})),
    EventFilter(kinds=frozenset({"message.accepted", "session.*"}), session_ids=frozenset({"help"})),
    EventFilter(kinds=frozenset({"nothing.*"})),
    EventFilter(chat_ids=frozenset({"p_a"})),
    EventFilter(chat_ids=frozenset({"p_a", "p_b"}), session_ids=frozenset({"sales"})),
]


@pytest.mark.parametrize("which", FILTERS, ids=str)
async def test_the_log_shows_what_a_filter_wants_and_nothing_else(store: Store, which: EventFilter) -> None:
    for name in ("sales", "help"):
        session = await stored_session(store, name)
        for kind in ("message_accepted", "message_status_changed", "session_updated"):
            for chat_id in ("", "p_a", "p_b"):
                await told(store, 1, session, kind=kind, chat_id=chat_id)
    await told(store, 2)
    wanted = [event for event in await log(store) if which.wants(event)]
    assert await store.read(lambda unit: unit.events.after(TENANT, 0, limit=1000, which=which)) == wanted


async def test_a_moment_is_found_in_the_log(stage: Stage) -> None:
    for _ in range(4):
        await told(stage.store, 2)
        stage.clock.move(minutes=1)
    events = await log(stage.store)

    async def before(index: int) -> int:
        return await stage.store.read(lambda unit: unit.events.position_before(TENANT, events[index].record_time))

    assert await before(0) == events[0].position - 1
    assert await before(4) == await before(5) == events[4].position - 1
    later = await stage.store.read(lambda unit: unit.events.position_before(TENANT, stage.clock.now))
    assert later == events[-1].position


async def test_the_ends_of_the_log_are_told(stage: Stage) -> None:
    store = stage.store
    assert await store.read(lambda unit: unit.events.ends(TENANT)) == LogEnds(0, 0)
    assert await store.read(lambda unit: unit.events.newest()) == 0
    await told(store, 1)
    stage.clock.move(hours=1)
    await told(store, 1)
    await told(store, 1, tenant_id="other")
    first, last = await log(store)
    ends = await store.read(lambda unit: unit.events.ends(TENANT))
    assert ends == LogEnds(0, last.position, first.record_time, last.record_time)
    assert await store.read(lambda unit: unit.events.newest()) == last.position + 1


async def test_an_event_of_no_session_that_exists_fails_its_own_unit(store: Store) -> None:
    session = await stored_session(store)
    ghost = session.copy()
    ghost.uid = "s_ghost"
    with pytest.raises(Exception, match="sequence"):
        await told(store, 1, ghost)
    assert await log(store) == []
