"""What runs beside all tests, from the first one on: only the last ones look at what came of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest

from tests.stage.postgres import PostgresServer, shared_postgres
from tests.stage.programs import ROOT

SOAK_SECONDS = 180
STREAMS_PER_MINUTE = 500
BESIDE_ALL: Final = {"soaking", "freezing"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: bool(_awaited_by(item)))


def _awaited_by(item: pytest.Item) -> set[str]:
    return BESIDE_ALL.intersection(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def soaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A process that opens and cancels streams at a gateway of its own."""
    yield from _beside("soaking", tmp_path_factory, SOAK_SECONDS, STREAMS_PER_MINUTE)


@pytest.fixture(scope="session")
def freezing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """A process that freezes a line at a gateway of its own."""
    yield from _beside("freezing", tmp_path_factory)


def _beside(
    module: str, tmp_path_factory: pytest.TempPathFactory, *arguments: object
) -> Iterator[subprocess.Popen[bytes]]:
    folder = tmp_path_factory.mktemp(module)
    command = [sys.executable, "-m", f"tests.stage.{module}", folder, *arguments]
    with (folder / f"{module}.log").open("wb") as log:
        dying_with_us = ("setpriv", "--pdeathsig", "TERM")
        process = subprocess.Popen([*dying_with_us, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    yield process
    process.terminate()
    process.wait()


@pytest.fixture(scope="session", autouse=True)
def _from_the_start(request: pytest.FixtureRequest) -> None:
    """Begin with the first test what those that are to run look at in the end."""
    for name in sorted(set[str]().union(*map(_awaited_by, request.session.items))):
        request.getfixturevalue(name)


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
