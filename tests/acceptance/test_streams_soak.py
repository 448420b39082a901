"""Streams that are opened and cancelled all the time leave nothing behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import SOAK_SECONDS, STREAMS_PER_MINUTE
from tests.stage.soaking import soak

GROWTH_AT_MOST: Final = 0.05
HOUR: Final = 3600.0


@pytest.mark.timeout(SOAK_SECONDS + 120)
def test_three_minutes_of_opened_and_cancelled_streams_leave_memory_as_it_was(soaking: subprocess.Popen[bytes]) -> None:
    said, _ = soaking.communicate()
    warm, last = json.loads(said)
    assert last / warm - 1 <= GROWTH_AT_MOST


@pytest.mark.slow
@pytest.mark.timeout(HOUR + 120)
async def test_an_hour_of_opened_and_cancelled_streams_leaves_memory_as_it_was(tmp_path: Path) -> None:
    warm, last = await soak(tmp_path / "soak", HOUR, STREAMS_PER_MINUTE)
    assert last / warm - 1 <= GROWTH_AT_MOST
