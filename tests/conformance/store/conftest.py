"""Every store that the gateway has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ports.unit_of_work import Store
from tests.conformance.store.stage import STAGES, Stage, forget
from tests.stage.postgres import PostgresServer


@pytest.fixture
async def folder(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Path]:  # noqa: ARG001  # stages use it
    """Where stages may be opened, one after the other."""
    yield tmp_path
    await forget(tmp_path)


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Stage]:
    """A new store, with its clock and bells."""
    async with STAGES[request.param](folder) as opened:
        yield opened


@pytest.fixture
def store(stage: Stage) -> Store:
    """A new store."""
    return stage.store
