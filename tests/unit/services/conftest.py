from __future__ import annotations

import pytest

from gateway.domain.sessions import Session
from tests.unit.services.house import House


@pytest.fixture
async def sessions(house: House) -> list[Session]:
    """Three sessions that nobody owns."""
    return [await house.create(session_id) for session_id in ("sales", "support", "shop")]
