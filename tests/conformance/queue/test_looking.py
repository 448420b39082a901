"""Over the database alone, each looks for what no bell tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.sql.queue import SqlQueue
from gateway.adapters.sql.store import SqlStore
from gateway.ports.queue import AnswerOverdue, NobodyAnswers, outbox_bell, wish_bell
from tests.conformance.queue.houses import sql_store
from tests.conformance.store.making import message, stored, stored_session
from tests.conformance.store.stage import STAGES, Stage
from tests.stage.waiting import eventually

SOON = 5.0
LOOK_EVERY = 0.1
A_FEW_LOOKS = 0.4


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Stage]:
    async with STAGES[request.param](folder) as opened:
        yield opened


@pytest.fixture
def store(stage: Stage) -> SqlStore:
    return sql_store(stage)


@pytest.fixture
async def queue(store: SqlStore) -> AsyncIterator[SqlQueue]:
    queue = SqlQueue(store, uuid4().hex, local=EmbeddedQueue(), look_every=LOOK_EVERY)
    async with queue.running():
        yield queue


async def _takes(store: SqlStore, process_id: str) -> bool:
    return bool(await store.write(lambda unit: unit.sql_questions.take(process_id)))


async def echo(question: bytes) -> bytes:
    return question


async def test_what_is_queued_is_found_without_a_bell(queue: SqlQueue, store: SqlStore) -> None:
    session, other = await stored_session(store), await stored_session(store, "other")
    with queue.listen(outbox_bell(session.uid)) as ears, queue.listen(outbox_bell(other.uid)) as others:
        await stored(store, message(session))
        assert await ears.heard(SOON)
        assert not await others.heard(A_FEW_LOOKS)


async def test_what_is_due_later_is_found_when_it_is(queue: SqlQueue, store: SqlStore, stage: Stage) -> None:
    session = await stored_session(store)
    due = stage.clock.now.replace(hour=stage.clock.now.hour + 1)
    await stored(store, message(session, due_time=due))
    with queue.listen(outbox_bell(session.uid)) as ears:
        assert not await ears.heard(A_FEW_LOOKS)
        stage.clock.move(hours=1)
        assert await ears.heard(SOON)


async def test_a_wish_is_found_without_a_bell_and_told_once(queue: SqlQueue, store: SqlStore) -> None:
    session = await stored_session(store)
    with queue.listen(wish_bell(session.uid)) as ears:
        assert await ears.heard(SOON), "nobody knows whether it changed between listening and the first look"
        assert not await ears.heard(A_FEW_LOOKS)
        session.restarts += 1
        await store.write(lambda unit: unit.sessions.save(session))
        assert await ears.heard(SOON)
        assert not await ears.heard(A_FEW_LOOKS)


async def test_a_wish_that_changes_before_the_first_look_is_found(store: SqlStore) -> None:
    session = await stored_session(store)
    queue = SqlQueue(store, uuid4().hex, local=EmbeddedQueue(), look_every=LOOK_EVERY)
    with queue.listen(wish_bell(session.uid)) as ears:
        session.restarts += 1
        await store.write(lambda unit: unit.sessions.save(session))
        async with queue.running():
            assert await ears.heard(SOON)


async def test_a_question_that_nobody_took_has_reached_nobody(queue: SqlQueue, store: SqlStore) -> None:
    await store.write(lambda unit: unit.sql_questions.serve("owner", "ghost"))
    with pytest.raises(NobodyAnswers):
        await queue.ask("owner", b"well?", timeout=1)
    assert await store.write(lambda unit: unit.sql_questions.take("ghost")) == []


async def test_a_question_that_was_taken_by_who_ended_then_is_overdue(queue: SqlQueue, store: SqlStore) -> None:
    await store.write(lambda unit: unit.sql_questions.serve("owner", "ghost"))
    asking = asyncio.create_task(queue.ask("owner", b"well?", timeout=2))
    await eventually(lambda: _takes(store, "ghost"))
    with pytest.raises(AnswerOverdue):
        await asking


async def test_names_are_known_for_as_long_as_they_are_served(queue: SqlQueue, store: SqlStore, stage: Stage) -> None:
    async with queue.serve("owner", echo):
        await store.write(lambda unit: unit.sql_questions.serve("lost", "ghost"))
        stage.clock.move(minutes=11)
        await store.write(lambda unit: unit.sql_questions.keep([], "another"))
        with pytest.raises(NobodyAnswers):
            await queue.ask("lost", b"", timeout=SOON)
        await queue.keep()
        assert await queue.ask("owner", b"well?", timeout=SOON) == b"well?"


async def test_a_name_that_another_took_over_is_not_taken_back(queue: SqlQueue, store: SqlStore) -> None:
    async with queue.serve("owner", echo):
        await store.write(lambda unit: unit.sql_questions.serve("owner", "ghost"))
        await queue.keep()
        with pytest.raises(NobodyAnswers):
            await queue.ask("owner", b"", timeout=1)


async def test_questions_are_forgotten_a_minute_after_their_deadline(store: SqlStore, stage: Stage) -> None:
    queue = SqlQueue(store, "a", local=EmbeddedQueue())
    await store.write(lambda unit: unit.sql_questions.serve("owner", "ghost"))
    asking = asyncio.create_task(queue.ask("owner", b"well?", timeout=30))
    await asyncio.sleep(0.1)
    asking.cancel()
    stage.clock.move(minutes=2)
    await queue.keep()
    assert await store.write(lambda unit: unit.sql_questions.take("ghost")) == []
