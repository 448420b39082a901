"""PostgreSQL is reached, keeps what it commits, takes writes, and is migrated."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from gateway.doctor.findings import Finding, Level
from gateway.doctor.postgresql import postgresql, server
from tests.stage.postgres import PostgresServer

SOUND = {
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "server_encoding": "UTF8",
    "server_version": "16.4",
    "server_version_num": "160004",
    "synchronous_commit": "on",
    "transaction_read_only": "off",
}

FOUND: list[tuple[str, dict[str, str], Level]] = [
    ("database.version", {"server_version": "13.9", "server_version_num": "130009"}, Level.PROBLEM),
    ("database.synchronous", {"fsync": "off"}, Level.PROBLEM),
    ("database.synchronous", {"synchronous_commit": "off"}, Level.PROBLEM),
    ("database.writable", {"transaction_read_only": "on"}, Level.PROBLEM),
    ("database.encoding", {"server_encoding": "SQL_ASCII"}, Level.PROBLEM),
    ("database.connections", {"max_connections": "20"}, Level.WARNING),
]


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


async def test_a_server_as_the_gateway_wants_it_is_fine(durable: PostgresServer) -> None:
    async with durable.database() as url:
        findings = by_check(await postgresql(make_url(url)))
    assert {finding.level for finding in findings.values()} == {Level.OK}
    assert {"database.reachable", "database.clock", "database.schema"} <= findings.keys()


async def test_a_database_without_tables_is_told_how_to_come_up(durable: PostgresServer) -> None:
    async with durable.database(migrated=False) as url:
        finding = by_check(await postgresql(make_url(url)))["database.schema"]
    assert (finding.level, finding.advice) == (Level.PROBLEM, "Run `wagate migrate`.")


async def test_a_database_that_keeps_nothing_for_sure_is_a_problem(durable: PostgresServer) -> None:
    async with durable.database(migrated=False) as url:
        connection = await durable.connect(url)
        await connection.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off")
        await connection.close()
        assert by_check(await postgresql(make_url(url)))["database.synchronous"].level is Level.PROBLEM


async def test_a_database_that_is_not_there_is_a_problem_without_secrets(durable: PostgresServer) -> None:
    url = make_url(durable.url_of("nowhere")).set(password="topsecret")
    (finding,) = await postgresql(url)
    assert (finding.check, finding.level) == ("database.reachable", Level.PROBLEM)
    assert 'database "nowhere" does not exist' in finding.said
    assert "topsecret" not in repr(finding)


async def test_a_server_that_is_not_there_is_a_problem() -> None:
    (finding,) = await postgresql(make_url("postgresql+asyncpg://me:topsecret@127.0.0.1:1/x"))
    assert (finding.check, finding.level) == ("database.reachable", Level.PROBLEM)
    assert "topsecret" not in repr(finding)


def test_a_sound_server_has_nothing_to_be_found() -> None:
    assert {finding.level for finding in server(SOUND)} == {Level.OK}


@pytest.mark.parametrize(("check", "told", "level"), FOUND)
def test_what_is_wrong_with_a_server_is_found(check: str, told: dict[str, str], level: Level) -> None:
    assert by_check(server(SOUND | told))[check].level is level
