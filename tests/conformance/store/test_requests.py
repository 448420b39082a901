from __future__ import annotations

from gateway.domain.requests import RequestKey, RequestRecord
from gateway.ports.unit_of_work import Prefetch, Store, UnitOfWork
from tests.conformance.store.making import TENANT
from tests.conformance.store.stage import NOON

KEY = RequestKey(TENANT, "SendMessage", "sales", "r1")
RECORD = RequestRecord(KEY, b"print", "m_1", NOON, b"answer")


async def test_what_was_done_is_remembered_in_its_scope_alone(store: Store) -> None:
    await store.write(lambda unit: unit.requests.add(RECORD))
    assert await store.read(lambda unit: unit.requests.find(KEY)) == RECORD
    for other in (
        RequestKey("other", "SendMessage", "sales", "r1"),
        RequestKey(TENANT, "CreateSession", "sales", "r1"),
        RequestKey(TENANT, "SendMessage", "help", "r1"),
        RequestKey(TENANT, "SendMessage", "sales", "r2"),
    ):
        assert await store.read(lambda unit, other=other: unit.requests.find(other)) is None  # type: ignore[misc]


async def test_a_unit_finds_what_it_added_and_what_was_prefetched(store: Store) -> None:
    async def add_and_find(unit: UnitOfWork) -> RequestRecord | None:
        assert await unit.requests.find(KEY) is None
        await unit.requests.add(RECORD)
        return await unit.requests.find(KEY)

    assert await store.write(add_and_find, Prefetch(requests=(KEY,))) == RECORD
    assert await store.write(lambda unit: unit.requests.find(KEY), Prefetch(requests=(KEY,))) == RECORD
