"""Every implementation of leases: they live in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.store.stage import STAGES, Stage, forget
from tests.stage.postgres import PostgresServer


@pytest.fixture
async def folder(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Path]:  # noqa: ARG001  # stages use it
    """Where stages may be opened, one after the other."""
    yield tmp_path
    await forget(tmp_path)


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Stage]:
    """A new store, with its leases and its clock."""
    async with STAGES[request.param](folder) as opened:
        yield opened
