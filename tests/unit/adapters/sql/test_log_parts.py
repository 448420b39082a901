"""The log's parts on PostgreSQL: made ahead, dropped whole, and in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from tests.conformance.store.making import TENANT, stored_session, told
from tests.conformance.store.stage import NOON, Stage, opened_at
from tests.stage.postgres import PostgresServer
from tests.stage.waiting import SECONDS

PARTS = """
    SELECT relname FROM pg_class JOIN pg_inherits ON oid = inhrelid
    WHERE inhparent = 'events'::regclass ORDER BY relname
"""
TABLES = "SELECT relname FROM pg_class WHERE relname ~ '^events_(first|[0-9]{8})$' ORDER BY relname"


AGAIN = """
    INSERT INTO events (tenant_id, event_id, session_uid, sequence, kind, record_time, body)
    SELECT tenant_id, event_id, session_uid, sequence, kind, record_time, body FROM events WHERE session_uid <> ''
"""


@pytest.fixture
async def stage(postgres_url: str) -> AsyncIterator[Stage]:
    """A store on PostgreSQL."""
    async with opened_at(postgres_url) as stage:
        yield stage


@pytest.fixture
async def beside(postgres: PostgresServer, postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the store's."""
    connection = await postgres.connect(postgres_url)
    yield connection
    await connection.close()


async def names(beside: asyncpg.Connection, query: str = PARTS) -> list[str]:
    return [row["relname"] for row in await beside.fetch(query)]


async def forget(stage: Stage, days: int) -> None:
    await stage.store.write(lambda unit: unit.past.forget_events(NOON + timedelta(days=days), 1000))


async def told_by_the_day(stage: Stage, days: int) -> None:
    for _ in range(days):
        await stage.store.tidy()
        await told(stage.store, 2)
        stage.clock.move(days=1)


async def test_a_part_is_made_for_each_of_the_next_two_days_and_the_last_is_open(
    stage: Stage, beside: asyncpg.Connection
) -> None:
    assert await names(beside) == ["events_first"]
    await stage.store.tidy()
    made = ["events_20260302", "events_20260303", "events_20260304", "events_first"]
    assert await names(beside) == made
    await stage.store.tidy()
    assert await names(beside) == made
    stage.clock.move(days=1)
    await stage.store.tidy()
    assert await names(beside) == [*made[:3], "events_20260305", "events_first"]


async def test_each_event_lies_in_the_part_of_its_day(stage: Stage, beside: asyncpg.Connection) -> None:
    await told_by_the_day(stage, 3)
    where = await beside.fetch("SELECT tableoid::regclass::text AS part, position FROM events ORDER BY position")
    assert [row["part"] for row in where] == [
        *(["events_first"] * 2),
        *(["events_20260302"] * 2),
        *(["events_20260303"] * 2),
    ]


async def test_a_part_that_was_never_made_is_missed_by_nobody(stage: Stage, beside: asyncpg.Connection) -> None:
    await stage.store.tidy()
    stage.clock.move(days=40)
    await told(stage.store, 3)
    await stage.store.tidy()
    await told(stage.store, 1)
    assert len(await stage.store.read(lambda unit: unit.events.after(TENANT, 0, limit=9))) == 4
    assert "events_20260411" in await names(beside)


async def test_what_is_forgotten_is_dropped_whole(stage: Stage, beside: asyncpg.Connection) -> None:
    await told_by_the_day(stage, 4)
    await forget(stage, 2)
    before = await names(beside)
    await stage.store.tidy()
    assert set(before) - set(await names(beside)) == {"events_first", "events_20260302"}
    assert await names(beside, TABLES) == await names(beside)


async def test_whoever_ended_between_two_steps_leaves_nothing_behind(stage: Stage, beside: asyncpg.Connection) -> None:
    await told_by_the_day(stage, 4)
    await forget(stage, 3)
    await beside.execute("ALTER TABLE events DETACH PARTITION events_20260302")
    await stage.store.tidy()
    assert await names(beside, TABLES) == await names(beside)


async def test_what_an_operator_took_out_and_was_not_forgotten_is_left_to_him(
    stage: Stage, beside: asyncpg.Connection
) -> None:
    await told_by_the_day(stage, 3)
    await beside.execute("ALTER TABLE events DETACH PARTITION events_20260302")
    await stage.store.tidy()
    assert "events_20260302" in await names(beside, TABLES)


async def test_nobody_waits_behind_a_part_that_cannot_be_had_now(stage: Stage, beside: asyncpg.Connection) -> None:
    await stage.store.tidy()
    stage.clock.move(days=1)
    async with beside.transaction(isolation="repeatable_read"):
        await beside.fetch("SELECT count(*) FROM events")
        before = await names(beside)
        tidying = asyncio.create_task(stage.store.tidy())
        await asyncio.wait_for(told(stage.store, 1), SECONDS)
        await asyncio.wait_for(tidying, SECONDS)
        assert await names(beside) == before
    await stage.store.tidy()
    assert await names(beside) != before


async def test_a_number_that_a_session_has_given_is_not_given_again_on_the_same_day(
    stage: Stage, beside: asyncpg.Connection
) -> None:
    session = await stored_session(stage.store)
    await told_by_the_day(stage, 1)
    await told(stage.store, 1, session)
    with pytest.raises(asyncpg.UniqueViolationError):
        await beside.execute(AGAIN)
