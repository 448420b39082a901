"""The store's clock: never goes back, not even over a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """This moment by the machine's clock."""
    return datetime.now(UTC)


class Clock:
    """Goes by `now`; while that lies behind what this clock has told before, it goes on from there."""

    def __init__(self, now: Callable[[], datetime], latest: datetime) -> None:
        self._now = now
        self._latest = latest
        self._seen = time.monotonic()

    def moment(self) -> datetime:
        """This moment."""
        seen = time.monotonic()
        now = self._now()
        if now < self._latest:
            now = self._latest + timedelta(seconds=seen - self._seen)
        self._latest, self._seen = now, seen
        return now
