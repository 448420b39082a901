"""How rows reach the database: in few statements, and in groups that leave somebody to be served."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.sql.driver import Step
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import SqliteDatabase, url_of
from gateway.adapters.sql.sqlite_idiom import SqliteIdiom
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.store import open_store
from gateway.ports.unit_of_work import UnitOfWork

ALIASES = Statements(SqliteIdiom()).aliases


@given(st.integers(0, 300))
def test_many_new_rows_are_written_in_order_by_few_statements(count: int) -> None:
    rows = [{"tenant_id": "default", "alias_id": f"p_{place}", "identity_id": "p"} for place in range(count)]
    steps = list(ALIASES.insert.each(rows))
    written = [step.parameters[place : place + 3] for step in steps for place in range(0, len(step.parameters), 3)]
    assert written == [tuple(row.values()) for row in rows]
    assert len(steps) <= count // 64 + 6
    assert all(step.sql.count("(?, ?, ?)") * 3 == len(step.parameters) for step in steps)


def test_rows_of_a_change_are_written_one_by_one() -> None:
    rows = [{"tenant_id": "default", "alias_id": f"p_{place}", "identity_id": "p"} for place in range(3)]
    (step,) = ALIASES.update.each(rows)
    assert step.rows is not None
    assert len(step.rows) == 3


@pytest.mark.parametrize("callers", [1, 2, 3, 64])
async def test_of_many_callers_most_are_written_while_the_others_are_served(tmp_path: Path, callers: int) -> None:
    groups: list[int] = []
    await migrate(url_of(tmp_path / "store.db"))

    async def work(uow: UnitOfWork) -> None:
        uow.ring("bell")
        await uow.events.newest()

    async with open_store(url_of(tmp_path / "store.db"), committed=groups.append) as store:

        async def call() -> None:
            for _ in range(20):
                await store.write(work)

        await asyncio.gather(*(call() for _ in range(callers)))
    assert sum(groups) == 20 * callers
    assert max(groups[2:]) <= max(3, callers * 3 // 4)


async def test_what_is_written_to_a_file_survives_a_power_cut_once_it_is_committed(tmp_path: Path) -> None:
    writer = await SqliteDatabase(url_of(tmp_path / "store.db")).writing()
    try:
        answers = await writer.run(
            [Step("PRAGMA journal_mode"), Step("PRAGMA synchronous"), Step("PRAGMA foreign_keys")]
        )
    finally:
        await writer.end()
    assert answers == [[{"journal_mode": "wal"}], [{"synchronous": 2}], [{"foreign_keys": 1}]]
