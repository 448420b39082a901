"""Clocks are judged by what they tell."""

from __future__ import annotations

from datetime import timedelta

from gateway.doctor.clock import clock, difference, sleep, synchronised
from gateway.doctor.findings import Level
from tests.unit.doctor.conftest import With


async def test_this_machine_has_clocks(settings_with: With) -> None:
    assert [finding.check for finding in await clock(settings_with())] == ["clock.sleep", "clock.synchronised"]


def test_a_machine_that_sleeps_is_warned_of() -> None:
    assert sleep(0.0).level is Level.OK
    assert sleep(3600.0).said == "This machine has slept for 1:00:00 since it was started."


def test_a_clock_that_nobody_keeps_right_is_warned_of() -> None:
    assert [synchronised(kept_right=right).level for right in (True, False)] == [Level.OK, Level.WARNING]


def test_clocks_that_differ_are_warned_of() -> None:
    assert difference(timedelta(milliseconds=-40)).said == "Its clock and this machine's are 40 ms apart."
    behind = difference(timedelta(seconds=-90))
    assert (behind.level, behind.said) == (Level.WARNING, "Its clock is 90.0 s behind this machine's.")
