"""`wagate migrate`, as an operator meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.sql.carrying import NotCarried
from gateway.adapters.sql.migrating import migrate_back, schema_of
from gateway.adapters.sql.schema import needed, wanted
from gateway.bootstrap.carrying import file_of
from tests.stage.postgres import PostgresServer
from tests.upgrades.commands import told

pytestmark = pytest.mark.timeout(180)
"""Our command is begun again and again, which alone takes 20 s each time where a machine has much else to do."""


async def test_a_postgresql_is_migrated_up_and_back(postgres: PostgresServer, tmp_path: Path) -> None:
    async with postgres.database(migrated=False) as url:
        status, said, complaint = await told("migrate", "--store.url", url, folder=tmp_path)
        assert (status, said, complaint) == (0, "The database is as this version wants it.\n", "")
        assert (await schema_of(url)).at == wanted()
        status, said, _ = await told("migrate", "--store.url", url, "--back-to", "0001", folder=tmp_path)
        assert (status, said) == (0, "The database is at 0001.\n")
    assert list((tmp_path / "work").iterdir()) == []


async def test_an_api_process_refuses_a_database_that_is_behind(url: str, tmp_path: Path) -> None:
    await migrate_back(url, "0001")
    status, _, complaint = await told("api", "--store.url", url, "--metrics.listen", "", folder=tmp_path)
    assert status == 1
    assert complaint.splitlines()[-1].endswith(f"needs {needed()}: run `wagate migrate`.")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("sqlite:///none.db", "should name a database, and there is none at "),
        ("data/wagate.db", "should be a URL, such as sqlite:///data/wagate.db"),
        ("postgresql://box/wagate", "should name a file of SQLite"),
    ],
)
def test_nothing_is_carried_from_nowhere(source: str, said: str) -> None:
    with pytest.raises(NotCarried, match=f"--from {said}"):
        file_of(source)
