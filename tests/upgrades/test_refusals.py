"""A database takes those versions that it suits, and is not changed under those that run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.adapters.sql.migrating import migrate, migrate_back, schema_of
from gateway.adapters.sql.postgres import PostgresOptions
from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.schema import Fit, Schema, wanted
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import open_store
from gateway.domain.errors import StoreUnavailable
from gateway.domain.processes import Process
from gateway.ports.processes import SchemaUnfit
from tests.stage.postgres import PostgresServer
from tests.upgrades.later import EXPAND, Becoming, contract

THIS = wanted()
MINUTE = timedelta(minutes=1)


async def test_a_step_that_adds_is_taken_while_an_older_version_runs(url: str, this: Process, become: Becoming) -> None:
    await SqlProcesses(url).note(this, MINUTE)
    become([EXPAND])
    await migrate(url)
    assert await schema_of(url) == Schema("9001", oldest="0002")


async def test_a_step_that_takes_away_is_refused_while_a_version_that_needs_it_runs(
    url: str, this: Process, become: Becoming
) -> None:
    await SqlProcesses(url).note(this, MINUTE)
    become([EXPAND, contract("9001")])
    with pytest.raises(SchemaUnfit) as refusal:
        await migrate(url)
    assert f"these run: wagate worker 0.1.0 (schema {THIS}) on box." in str(refusal.value)
    schema = await schema_of(url)
    assert (schema, schema.fit) == (Schema("9001", oldest="0002"), Fit.NOT_TIDY)
    schema.must_fit()


async def test_it_is_taken_once_only_versions_run_that_do_without(url: str, this: Process, become: Becoming) -> None:
    processes = SqlProcesses(url)
    await processes.note(this, MINUTE)
    await processes.note(replace(this, process_id="p_2", schema="9001"), MINUTE)
    await processes.leave(this)
    become([EXPAND, contract("9001")])
    await migrate(url)
    assert await schema_of(url) == Schema("9002", oldest="9001")


async def test_one_that_gave_no_sign_of_life_is_forgotten(url: str, this: Process, become: Becoming) -> None:
    processes = SqlProcesses(url)
    await processes.note(this, timedelta(0))
    assert await processes.running() == []
    become([contract("9001")])
    await migrate(url)
    assert (await schema_of(url)).at == "9001"


async def test_a_version_that_comes_after_its_needs_were_taken_away_is_told(
    url: str, this: Process, become: Becoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    become([contract("9001")])
    await migrate(url)
    monkeypatch.undo()
    schema = await schema_of(url)
    assert schema.fit is Fit.TOO_NEW
    with pytest.raises(SchemaUnfit, match="takes versions from schema 9001 on"):
        await SqlProcesses(url).note(this, MINUTE)
    with pytest.raises(SchemaUnfit, match="use a newer wagate"):
        await migrate(url)


async def test_going_back_is_refused_while_a_version_runs_that_needs_what_would_go(
    url: str, this: Process, become: Becoming
) -> None:
    become([EXPAND])
    await migrate(url)
    await SqlProcesses(url).note(replace(this, schema="9001"), MINUTE)
    with pytest.raises(SchemaUnfit, match=f"Going back to {THIS}"):
        await migrate_back(url, THIS)
    assert (await schema_of(url)).at == "9001"


async def test_two_who_migrate_at_once_take_each_step_once(postgres: PostgresServer) -> None:
    async with postgres.database(migrated=False) as url:
        await asyncio.gather(migrate(url), migrate(url))
        assert await schema_of(url) == Schema(THIS, oldest="0002")


async def test_a_step_waits_for_nobody_who_holds_a_table_for_long(
    postgres: PostgresServer, url: str, become: Becoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adapters.sql.migrating._TRIES", 1)
    monkeypatch.setattr("gateway.adapters.sql.migrating._PATIENCE", text("SET lock_timeout = '200ms'"))
    become([EXPAND])
    reader = await postgres.connect(url)
    async with reader.transaction():
        await reader.fetch("SELECT count(*) FROM sessions")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await migrate(url)
    await reader.close()
    await migrate(url)
    assert (await schema_of(url)).at == "9001"


async def test_an_index_is_made_beside_those_who_write(postgres: PostgresServer, url: str, become: Becoming) -> None:
    index = '"moods", "messages", ["edit"]'
    concurrently = (
        'kind = "expand"\nconcurrently = True',
        f"op.create_index({index}, postgresql_concurrently=True)",
        'op.drop_index("moods", "messages")',
    )
    become([concurrently])
    await migrate(url)
    connection = await postgres.connect(url)
    assert await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'moods'::regclass")
    await connection.close()


async def test_a_database_ahead_that_lacks_nothing_is_left_alone(
    tmp_path: Path, become: Becoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(tmp_path / "store.db")
    become([EXPAND])
    await migrate(url)
    monkeypatch.undo()
    await migrate(url)
    schema = await schema_of(url)
    assert (schema.at, schema.fit) == ("9001", Fit.AHEAD)
    schema.must_fit()


async def test_a_database_without_tables_is_told_how_to_come_up(tmp_path: Path) -> None:
    schema = await schema_of(url_of(tmp_path / "store.db"))
    with pytest.raises(SchemaUnfit, match=r"not there yet, .*: run `wagate migrate`"):
        schema.must_fit()


async def test_readers_wait_for_the_moment_in_which_a_table_is_held(postgres: PostgresServer, url: str) -> None:
    impatient = PostgresOptions(lock_timeout=timedelta(milliseconds=50))
    changing = await postgres.connect(url)
    async with open_store(url, options=impatient) as store:
        held = changing.transaction()
        await held.start()
        await changing.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(store.read(lambda uow: uow.sessions.providers()))
        await asyncio.wait({reading}, timeout=0.5)
        assert not reading.done()
        await held.rollback()
        assert await reading == []
    await changing.close()
