"""A process is in the register while it runs, and ends when what it needs is gone."""

from __future__ import annotations

import asyncio

import pytest

from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.processes import SqlProcesses
from gateway.domain.processes import Process
from gateway.ports.processes import SchemaUnfit
from gateway.workers.presence import Presence
from tests.stage.postgres import PostgresServer
from tests.stage.waiting import eventually
from tests.upgrades.later import Becoming, contract


@pytest.fixture
def processes(url: str) -> SqlProcesses:
    return SqlProcesses(url)


async def test_a_process_is_known_from_its_start_to_its_end(processes: SqlProcesses, this: Process) -> None:
    async with Presence(processes, this).kept():
        assert await processes.running() == [this]
    assert await processes.running() == []


async def test_it_says_again_and_again_that_it_runs(
    postgres: PostgresServer, url: str, processes: SqlProcesses, this: Process
) -> None:
    connection = await postgres.connect(url)

    async def is_known_for_longer() -> bool:
        return bool(await connection.fetchval("SELECT max(alive_until) > $1 FROM processes", first))

    async with Presence(processes, this, every_seconds=0.05).kept():
        first = await connection.fetchval("SELECT alive_until FROM processes")
        await eventually(is_known_for_longer)
    await connection.close()


async def test_it_ends_once_what_it_needs_is_gone(
    postgres: PostgresServer, url: str, processes: SqlProcesses, this: Process, become: Becoming
) -> None:
    """As for a process that the database had not heard of for so long that it was taken for dead."""
    connection = await postgres.connect(url)
    with pytest.RaisesGroup(pytest.RaisesExc(SchemaUnfit, match="use a newer wagate")):
        async with Presence(processes, this, every_seconds=0.05).kept():
            become([contract("9001")])
            await connection.execute("ALTER TABLE processes RENAME TO unheard")
            await migrate(url)
            await connection.execute("ALTER TABLE unheard RENAME TO processes")
            await asyncio.get_running_loop().create_future()
    await connection.close()
