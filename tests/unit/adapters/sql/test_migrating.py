from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine.url import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from gateway.adapters.sql.carrying import OF_THE_PLACE
from gateway.adapters.sql.migrating import migrate, migrate_back
from gateway.adapters.sql.sqlite import url_of, writing_engine
from gateway.adapters.sql.store import open_store
from gateway.adapters.sql.tables import metadata
from gateway.domain.sessions import OnAmbiguous

POSTGRESQL = make_url("postgresql+asyncpg://").get_dialect()()


def schema(file: Path) -> set[str]:
    """All that the database consists of, with spaces, quotes and brackets around nothing evened out."""
    rows = sqlite3.connect(file).execute("select type, name, tbl_name, coalesce(sql, '') from sqlite_master")
    texts = [" ".join(map(str, row)) for row in rows if not row[2].startswith("alembic_version")]
    return {"".join(text.replace('"', "").replace("('')", "''").split()) for text in texts}


async def test_the_tables_go_up_and_down_and_up_again(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    await migrate(url_of(file))
    up = schema(file)
    await migrate_back(url_of(file))
    assert {line for line in schema(file) if "sqlite_sequence" not in line} == set()
    await migrate(url_of(file))
    assert schema(file) == up


async def test_what_an_earlier_release_stored_is_there_after_migrating(tmp_path: Path) -> None:
    url = url_of(tmp_path / "store.db")
    await migrate(url)
    await migrate_back(url, "0001")
    with closing(sqlite3.connect(tmp_path / "store.db")) as database, database:
        database.execute(
            "insert into sessions (uid, tenant_id, session_id, provider, create_time, update_time, since_time,"
            " banned_until_time) values ('s_1', 'default', 'sales', 'web', 1, 2, 3, 4)"
        )
    await migrate(url)
    async with open_store(url) as store:
        session = await store.read(lambda uow: uow.sessions.get("default", "sales"))
    assert session is not None
    assert (session.uid, session.on_ambiguous, session.restrictions) == ("s_1", OnAmbiguous.ON_AMBIGUOUS_REPEAT, ())


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    await migrate(url_of(file))
    first = schema(file)
    await migrate(url_of(file))
    assert schema(file) == first


async def test_what_is_migrated_is_what_the_tables_say(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    await migrate(url_of(tmp_path / "store.db"))
    engine = writing_engine(url_of(tmp_path / "store.db"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_what_is_migrated_is_word_for_word_what_the_tables_say(tmp_path: Path) -> None:
    await migrate(url_of(tmp_path / "migrated.db"))
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "made.db")


def test_all_that_tenants_own_says_whose_it_is() -> None:
    nobodys = {table.name for table in metadata.tables.values() if "tenant_id" not in table.c}
    assert nobodys - OF_THE_PLACE == {"installation"}


def test_the_tables_can_be_made_on_postgresql() -> None:
    tables = [str(CreateTable(table).compile(dialect=POSTGRESQL)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=POSTGRESQL))
        for table in metadata.sorted_tables
        for index in table.indexes
    ]
    assert len(tables) == len(metadata.tables)
    assert any("ordinal BIGSERIAL" in text for text in tables)
    assert any("WHERE state IN (2, 3, 4)" in text for text in indexes)
