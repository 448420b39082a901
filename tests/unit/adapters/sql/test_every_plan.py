"""Every statement of the store is served by an index, on SQLite: no table that grows is read from end to end, and no
more than a page is sorted. And every index serves one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy.dialects.sqlite.aiosqlite import dialect
from sqlalchemy.sql import ClauseElement

from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.tables import metadata
from tests.unit.adapters.sql.collecting import CONDITIONS, makers, statements

SMALL: Final = {
    *("sessions", "leases", "workers", "installation", "processes", "schema_floor", "log_starts"),
    *("questions", "question_servers"),
}
"""Tables with a row for each session, process, or question under way at most."""
GROWING: Final = {"messages", "receipts", "identities", "identity_aliases", "events", "request_ids", "tenant_sequences"}
WAITING: Final = {"messages_outbox", "messages_give_up"}
"""Indexes of what waits alone: to count that, they are read from end to end."""
SORTED: Final = {
    "outbox.HEADS": "one message of each chat that waits",
    "messages._IN_CHAT": "those who used one id of the provider's in one chat",
    "messages._SENT": "those that one receipt names",
}
"""What is sorted, and why that is no more than a page."""
INDEXES: Final = {index.name for table in metadata.tables.values() for index in table.indexes}
"""All that are there to find rows; what keeps rows apart as well is found in `tables` as a rule or a key."""
_INDEX: Final = re.compile(r"INDEX (\w+)")
_SCAN: Final = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$")


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[sqlite3.Connection]:
    """An empty database: without statistics the planner goes by the shape of statements alone."""
    file: Path = tmp_path_factory.mktemp("plans") / "store.db"
    await migrate(url_of(file))
    connection = sqlite3.connect(file)
    yield connection
    connection.close()


def test_of_each_table_it_is_known_whether_it_grows() -> None:
    names = {table.name for table in metadata.tables.values()}
    assert names >= GROWING
    assert names - GROWING <= SMALL


def test_all_that_makes_statements_is_asked_for_each_of_them() -> None:
    assert makers() == set(CONDITIONS)
    assert len(statements()) > 100


_ASKED: Final = [name for name in statements() if not name.startswith("guard.")]


def test_no_index_is_without_use(database: sqlite3.Connection) -> None:
    used = {index for name in _ASKED for line in _plan(database, name) for index in _INDEX.findall(line)}
    assert INDEXES - used == set()


@pytest.mark.parametrize("name", _ASKED)
def test_it_reads_no_growing_table_from_end_to_end_and_sorts_no_more_than_a_page(
    database: sqlite3.Connection, name: str
) -> None:
    plan = _plan(database, name)
    scans = [found for line in plan if (found := _SCAN.match(line))]
    assert [scan[1] for scan in scans if scan[2] not in WAITING and scan[1] in _names(_sql(name))] == [], plan
    if name not in SORTED:
        assert not any("ORDER BY" in line for line in plan), plan


def _plan(database: sqlite3.Connection, name: str) -> list[str]:
    sql = _sql(name)
    return [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + sql, [None] * sql.count("?"))]


def _sql(name: str) -> str:
    statement = statements()[name]
    assert isinstance(statement, ClauseElement)
    return str(statement.compile(dialect=dialect()))


def _names(sql: str) -> set[str]:
    """The tables that grow, and the names that a statement gives them."""
    given = re.findall(rf"\b(?:{'|'.join(GROWING)}) AS (\w+)", sql)
    return GROWING | {name.strip('"') for name in given}
