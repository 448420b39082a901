"""The promises, under thirty kills and what else goes wrong. At length: `make faults`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.judge.judging import judged, proven
from tests.faults.plan import KILLS, Terms
from tests.faults.report import table
from tests.faults.run import run

TERMS = Terms(seed=7, kills=30, messages=200, rate=12)
BETWEEN = 5
"""How many kills must fall between a send and its ack."""


@pytest.mark.timeout(400)
async def test_thirty_kills_lose_double_and_disorder_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("seed", TERMS.seed)
    record = await run(TERMS, tmp_path)
    findings = judged(record)
    told = table(record, findings)
    sys.stdout.write(told)
    assert not any(finding.violations for finding in findings), told
    assert all(sum(fault.kind is kind for fault in record.faults) >= 10 for kind in KILLS), told
    assert len(proven(record)) >= BETWEEN, told
