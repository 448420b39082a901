"""The record of a short run in which all promises were kept; tests of the judge break one in their own copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.record import Record, kept


@pytest.fixture
def record() -> Record:
    """A sound record, to be spoilt."""
    return kept(Path(__file__).parent / "recorded.json.gz")
