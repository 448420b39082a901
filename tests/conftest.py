"""What runs beside all tests: streams are opened and cancelled from the first one on, which only the last looks at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.stage.postgres import PostgresServer, shared_postgres
from tests.stage.programs import ROOT

SOAK_SECONDS = 180
STREAMS_PER_MINUTE = 500


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_waits_for_the_soak)


def _waits_for_the_soak(item: pytest.Item) -> bool:
    return "soaking" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def soaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A process that opens and cancels streams at a gateway of its own."""
    folder = tmp_path_factory.mktemp("soak")
    command = [sys.executable, "-m", "tests.stage.soaking", folder, SOAK_SECONDS, STREAMS_PER_MINUTE]
    with (folder / "soak.log").open("wb") as log:
        dying_with_us = ("setpriv", "--pdeathsig", "TERM")
        process = subprocess.Popen([*dying_with_us, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    yield process
    process.terminate()
    process.wait()


@pytest.fixture(scope="session", autouse=True)
def _soak_from_the_start(request: pytest.FixtureRequest) -> None:
    """Begin with the first test, if the one that looks at the end is to run."""
    if any(_waits_for_the_soak(item) for item in request.session.items):
        request.getfixturevalue("soaking")


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL of this run's own."""
    async with shared_postgres() as server:
        yield server


@pytest.fixture
async def postgres_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A new database on it, with the tables of this version."""
    async with postgres.database() as url:
        yield url
