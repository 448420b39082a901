"""Every store that the gateway has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ports.unit_of_work import Store
from tests.conformance.store.stage import STAGES, Stage


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """A new store, with its clock and bells."""
    async with STAGES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def store(stage: Stage) -> Store:
    """A new store."""
    return stage.store
