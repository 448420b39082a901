"""The promises of a fleet, under all that may befall its parts. At length: `make faults FLEET=1`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.judge.judging import judged
from tests.faults.judge.lines import takeovers
from tests.faults.plan import Terms
from tests.faults.report import table
from tests.faults.run import run

TERMS = Terms(seed=5, kills=25, sessions=4, messages=5000, rate=60, fleet=True)


@pytest.mark.timeout(600)
async def test_a_fleet_of_which_anything_dies_loses_doubles_and_disorders_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("seed", TERMS.seed)
    record = await run(TERMS, tmp_path)
    findings = judged(record)
    told = table(record, findings)
    sys.stdout.write(told)
    assert not any(finding.violations for finding in findings), told
    assert takeovers(record), told
