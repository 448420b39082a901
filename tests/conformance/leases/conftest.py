"""Every implementation of leases: they live in the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.store.stage import STAGES, Stage


@pytest.fixture(params=sorted(STAGES))
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """A new store, with its leases and its clock."""
    async with STAGES[request.param](tmp_path) as opened:
        yield opened
