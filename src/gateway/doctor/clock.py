"""The clock: leases count on one that never jumps, and what is stored carries the time of day."""

from __future__ import annotations

import ctypes
import time
from datetime import timedelta
from typing import Final

from gateway.doctor.findings import Finding, fine, warning
from gateway.settings import Settings

_ASLEEP: Final = 1.0
"""Seconds that a machine which never slept may seem to have: its two clocks are read one after the other."""
_UNSYNCHRONISED: Final = 5
"""What the kernel answers to adjtimex(2) while nobody keeps its clock right: TIME_ERROR."""
_TIMEX_BYTES: Final = 512
"""More than struct timex has on any machine; all zeroes ask, and change nothing."""
FAR: Final = timedelta(seconds=2)
"""Between two clocks: more than a network's delay, and enough to be seen in an order of events."""


async def clock(_settings: Settings) -> list[Finding]:
    """Look at this machine's clocks."""
    slept = time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return [sleep(slept), synchronised(kept_right=_kernel_answer() != _UNSYNCHRONISED)]


def sleep(seconds: float) -> Finding:
    """Judge how long the machine has slept since it was started."""
    if seconds <= _ASLEEP:
        return fine("clock.sleep", "This machine has not slept since it was started.")
    said = f"This machine has slept for {timedelta(seconds=round(seconds))} since it was started."
    return warning("clock.sleep", said, "Keep it from sleeping: its sessions are given up each time.")


def synchronised(*, kept_right: bool) -> Finding:
    """Judge whether somebody keeps the clock right."""
    if kept_right:
        return fine("clock.synchronised", "The kernel says that its clock is kept right.")
    said = "Nobody tells the kernel that its clock is right."
    advice = "Run chrony or systemd-timesyncd, unless this machine's host keeps its clock."
    return warning("clock.synchronised", said, advice)


def difference(ahead: timedelta) -> Finding:
    """Judge by how much the database's clock is ahead of this machine's."""
    check, millis = "database.clock", abs(ahead) // timedelta(milliseconds=1)
    if abs(ahead) <= FAR:
        return fine(check, f"Its clock and this machine's are {millis} ms apart.")
    where = "ahead of" if ahead > timedelta() else "behind"
    said = f"Its clock is {abs(ahead).total_seconds():,.1f} s {where} this machine's."
    return warning(check, said, "Keep both right with NTP: leases go by the database's clock, logs by this machine's.")


def _kernel_answer() -> int:
    library = ctypes.CDLL(None, use_errno=True)
    answer: int = library.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return answer
