"""A role that lacks a right is told which statement gives it, and that statement is enough."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url

from gateway.adapters.sql.migrating import migrate
from gateway.doctor.findings import Finding, Level
from gateway.doctor.postgresql import postgresql
from gateway.domain.errors import StoreUnavailable
from tests.stage.postgres import PostgresServer


@pytest.fixture
async def owner(durable: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """Who administers a database in which the role `clerk` may do no more than anybody."""
    url = await durable.new_database(migrated=False)
    connection = await durable.connect(url)
    try:
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE clerk LOGIN")
        yield connection
    finally:
        await connection.execute("DROP OWNED BY clerk; DROP ROLE clerk")
        await connection.close()
        await durable.drop(url)


@pytest.fixture
async def url(durable: PostgresServer, owner: asyncpg.Connection) -> str:
    """The database, as clerk reaches it."""
    name = await owner.fetchval("SELECT current_database()")
    return make_url(durable.url_of(name)).set(username="clerk").render_as_string(hide_password=False)


async def problems(url: str) -> dict[str, Finding]:
    """What stands in the way, by the checks' names."""
    found = await postgresql(make_url(url))
    return {finding.check: finding for finding in found if finding.level is Level.PROBLEM}


def statements(found: dict[str, Finding]) -> list[str]:
    """The first statement of each advice."""
    return [match[0] for finding in found.values() if (match := re.search(r"GRANT [^;]*;", finding.advice))]


async def test_a_role_with_no_rights_is_told_what_to_grant_and_that_is_enough(
    owner: asyncpg.Connection, url: str
) -> None:
    found = await problems(url)
    assert statements(found) == [
        "GRANT USAGE, CREATE ON SCHEMA public TO clerk;",
        f"GRANT CREATE ON DATABASE {await owner.fetchval('SELECT current_database()')} TO clerk;",
    ]
    with pytest.raises(StoreUnavailable, match="permission denied"):
        await migrate(url)
    for statement in statements(found):
        await owner.execute(statement)
    await migrate(url)
    assert await problems(url) == {}


async def test_a_role_that_may_use_no_schema_is_told_so(owner: asyncpg.Connection, url: str) -> None:
    await owner.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    assert "any schema of its search_path" in (await problems(url))["database.makes_tables"].said


async def test_a_role_is_given_a_schema_for_keys_and_needs_to_make_none(owner: asyncpg.Connection, url: str) -> None:
    advice = (await problems(url))["database.makes_schemas"].advice
    given = "CREATE SCHEMA wagate_keys_default AUTHORIZATION clerk;"
    assert advice.endswith(given)
    await owner.execute(given)
    assert "database.makes_schemas" not in await problems(url)


@pytest.mark.parametrize("what", ["TABLE sessions ()", "SCHEMA wagate_keys_default", "TABLE events_20260101 ()"])
async def test_what_belongs_to_another_role_is_a_problem_until_its_rights_are_granted(
    owner: asyncpg.Connection, url: str, what: str
) -> None:
    await owner.execute("CREATE ROLE former")
    try:
        await owner.execute(f"CREATE {what}; ALTER {what.removesuffix(' ()')} OWNER TO former")
        finding = (await problems(url))["database.owns_tables"]
        assert finding.said.startswith("What lies there belongs to former")
        (statement,) = statements({"": finding})
        await owner.execute(statement)
        assert "database.owns_tables" not in await problems(url)
    finally:
        await owner.execute("DROP OWNED BY former; DROP ROLE former")
