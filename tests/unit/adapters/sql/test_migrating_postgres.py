"""The tables on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.adapters.sql.engines import migrating_engine
from gateway.adapters.sql.migrating import migrate, migrate_back
from gateway.adapters.sql.tables import metadata
from tests.stage.postgres import PostgresServer

OBJECTS = """
    select table_name || '.' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '') from
      information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'
    union all select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version'
"""
COLLATIONS = """
    select distinct collation_name from information_schema.columns
    where table_schema = 'public' and data_type = 'character varying' and table_name <> 'alembic_version'
"""


OF_EACH_PART = ("add_constraint", "events_sequence")
"""The numbers of a session's events are unique in each part: across parts, its counter alone sees to that."""


def is_no_part_of_the_log(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not (name or "").startswith("events_")


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without tables."""
    async with postgres.database(migrated=False) as made:
        yield made


async def found(postgres: PostgresServer, url: str, query: str) -> set[str]:
    connection = await postgres.connect(url)
    try:
        return {row[0] for row in await connection.fetch(query)}
    finally:
        await connection.close()


async def test_the_tables_go_up_and_down_and_up_again(postgres: PostgresServer, url: str) -> None:
    await migrate(url)
    up = await found(postgres, url, OBJECTS)
    await migrate_back(url, "0001")
    await migrate(url)
    assert await found(postgres, url, OBJECTS) == up
    await migrate_back(url)
    assert await found(postgres, url, OBJECTS) == set()
    await migrate(url)
    assert await found(postgres, url, OBJECTS) == up


async def test_what_is_migrated_is_what_the_tables_say(url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "include_name": is_no_part_of_the_log}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    await migrate(url)
    engine = migrating_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
        assert [(difference[0], difference[1].name) for difference in found] == [OF_EACH_PART]
    await engine.dispose()


async def test_text_is_ordered_by_its_bytes_whatever_language_the_database_speaks(
    postgres: PostgresServer, postgres_url: str
) -> None:
    assert await found(postgres, postgres_url, COLLATIONS) == {"C"}
