"""A database of SQLite is carried over to PostgreSQL, whole, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.sql.carrying import OF_THE_PLACE, NotCarried, carry, tables
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.tables import metadata
from tests.stage.postgres import PostgresServer

MANY = 2_500


@pytest.fixture
async def embedded(tmp_path: Path) -> Path:
    """A database of SQLite with a few rows, and many in the log."""
    file = tmp_path / "wagate.db"
    await migrate(url_of(file))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO sessions (uid, tenant_id, session_id, provider, create_time, update_time, since_time,"
            " logout_wanted, display_name) VALUES ('s_1', 'default', 'sales', 'web', 1, 2, 3, 1, 'Zoë \U0001f98a')"
        )
        connection.execute("INSERT INTO installation VALUES ('log', x'00ff80', 7)")
        connection.executemany(
            "INSERT INTO events (tenant_id, event_id, session_uid, sequence, kind, record_time, body)"
            " VALUES ('default', ?, 's_1', ?, 'message.accepted', ?, ?)",
            [(f"e_{number}", number, 10**15 + number, bytes([number % 256])) for number in range(1, MANY + 1)],
        )
        connection.execute("DELETE FROM events WHERE position <= 100")
    return file


async def test_all_rows_are_carried_and_compared(postgres: PostgresServer, url: str, embedded: Path) -> None:
    carried = {one.table: one for one in await carry(url_of(embedded), url)}
    assert {name: one.rows for name, one in carried.items() if one.rows} == {
        "sessions": 1,
        "installation": 1,
        "events": MANY - 100,
    }
    connection = await postgres.connect(url)
    session = await connection.fetchrow("SELECT display_name, logout_wanted, deleted_time FROM sessions")
    assert tuple(session) == ("Zoë \U0001f98a", True, None)
    assert await connection.fetchval("SELECT secret FROM installation") == b"\x00\xff\x80"
    await connection.close()


async def test_numbers_go_on_behind_those_that_were_carried(postgres: PostgresServer, url: str, embedded: Path) -> None:
    await carry(url_of(embedded), url)
    connection = await postgres.connect(url)
    position = await connection.fetchval(
        "INSERT INTO events (tenant_id, event_id, session_uid, sequence, kind, record_time, body)"
        " VALUES ('default', 'e_new', 's_1', 9999, 'message.accepted', 1, '') RETURNING position"
    )
    await connection.close()
    assert position == MANY + 1


async def test_nothing_is_carried_to_where_something_is(postgres: PostgresServer, url: str, embedded: Path) -> None:
    connection = await postgres.connect(url)
    await connection.execute("INSERT INTO installation VALUES ('other', '', 1)")
    with pytest.raises(NotCarried, match="There are other rows in"):
        await carry(url_of(embedded), url)
    assert await connection.fetchval("SELECT count(*) FROM events") == 0
    await connection.close()


async def test_what_was_carried_before_is_only_compared(url: str, embedded: Path) -> None:
    first = await carry(url_of(embedded), url)
    assert await carry(url_of(embedded), url) == first


async def test_a_copy_that_differs_is_not_kept(postgres: PostgresServer, url: str, embedded: Path) -> None:
    connection = await postgres.connect(url)
    await connection.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body = '?'; RETURN NEW; END $$;"
        "CREATE TRIGGER spoil BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.sequence = 2000) EXECUTE FUNCTION spoil()"
    )
    with pytest.raises(NotCarried, match="The copy of events differs"):
        await carry(url_of(embedded), url)
    assert await connection.fetchval("SELECT count(*) FROM sessions") == 0
    await connection.close()


async def test_what_postgresql_cannot_store_is_told_and_nothing_is_kept(url: str, embedded: Path) -> None:
    with closing(sqlite3.connect(embedded)) as connection, connection:
        connection.execute("UPDATE sessions SET display_name = 'nul' || char(0)")
    with pytest.raises(NotCarried, match="nothing was carried"):
        await carry(url_of(embedded), url)


def test_all_tables_are_carried_but_those_of_the_place() -> None:
    assert {table.name for table in tables()} == set(metadata.tables) - OF_THE_PLACE
