"""The database file is ours, durable and migrated, and has room."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.sql.migrating import migrate_back
from gateway.adapters.sql.schema import wanted
from gateway.adapters.sql.sqlite import url_of
from gateway.doctor.database import database
from gateway.doctor.findings import Finding, Level
from gateway.doctor.sqlite import OLDEST, durability, release
from gateway.settings import Settings
from tests.unit.doctor.conftest import With


@pytest.fixture
def file(migrated_database: Path, tmp_path: Path) -> Path:
    """The database of the data folder, migrated."""
    (tmp_path / "data").mkdir(mode=0o700)
    return Path(shutil.copy(migrated_database, tmp_path / "data" / "wagate.db"))


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in await database(settings)}


async def test_a_database_as_we_made_it_is_fine(settings_with: With, file: Path) -> None:
    findings = await found(settings_with())
    assert {finding.level for finding in findings.values()} == {Level.OK}
    assert {"database.reachable", "database.synchronous", "database.schema", "database.room"} <= findings.keys()
    assert file.exists()


async def test_looking_makes_no_database(settings_with: With, tmp_path: Path) -> None:
    assert (await found(settings_with()))["database.reachable"].level is Level.OK
    assert list(tmp_path.iterdir()) == []


async def test_a_database_behind_is_told_how_to_come_up(settings_with: With, file: Path) -> None:
    await migrate_back(url_of(file), "0001")
    finding = (await found(settings_with()))["database.schema"]
    assert (finding.level, finding.said.split(",")[0]) == (Level.WARNING, "It is at 0001")
    assert "wagate migrate" in finding.advice


async def test_a_database_ahead_lacks_nothing(settings_with: With, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    finding = (await found(settings_with()))["database.schema"]
    assert (finding.level, finding.said.split(",")[0]) == (Level.WARNING, "It is at 9999")
    assert wanted() in finding.said


async def test_a_file_that_is_no_database_is_a_problem(settings_with: With, file: Path) -> None:
    file.write_bytes(os.urandom(8192))
    assert (await found(settings_with()))["database.reachable"].level is Level.PROBLEM


async def test_a_database_in_memory_is_a_problem(settings_with: With) -> None:
    findings = await found(settings_with(store={"url": "sqlite+aiosqlite:///:memory:"}))
    assert findings["database.reachable"].level is Level.PROBLEM


@pytest.mark.parametrize("url", ["mysql://root:topsecret@db/x", "what"])
async def test_a_database_that_the_gateway_does_not_speak_is_a_problem(settings_with: With, url: str) -> None:
    findings = await found(settings_with(store={"url": url}))
    assert findings["database.url"].level is Level.PROBLEM
    assert "topsecret" not in repr(findings)


def test_what_a_commit_survives_is_judged() -> None:
    assert durability("wal", 2).level is Level.OK
    assert {durability("wal", 1).level, durability("delete", 2).level} == {Level.PROBLEM}


def test_the_library_is_new_enough() -> None:
    assert release(OLDEST).level is Level.OK
    assert release((3, 37, 2)).said == "SQLite 3.37.2 is too old."
