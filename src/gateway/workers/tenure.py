"""Tenure: how long an owner may still act for its session."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Final

_SENDS_FOR: Final = 0.6
_HAS_LINE_FOR: Final = 0.8


def boot_seconds() -> float:
    """Seconds since the machine started. This clock goes on while the process is stopped and while the machine sleeps,
    and nobody can set it: a process that was frozen past its lease knows so as soon as it runs again.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Tenure:
    """Counts what is left of one lease, from before it was asked for. It ends in steps, so that nobody still acts when
    another may claim the session: messages are handed over for 60 % of the lease without a renewal, and for 80 % there
    may be a line.
    """

    def __init__(self, ttl: timedelta) -> None:
        self._ttl = ttl.total_seconds()
        self._ends = boot_seconds() + self._ttl
        self._extended = asyncio.Event()

    def extend(self, remaining: timedelta) -> None:
        """The lease lasts for so long from now on."""
        self._ends = boot_seconds() + remaining.total_seconds()
        self._extended.set()
        self._extended = asyncio.Event()

    @property
    def may_send(self) -> bool:
        """Whether a message may be handed over now. Ask right before doing so."""
        return self._left(_SENDS_FOR) > 0

    @property
    def of_line(self) -> timedelta:
        """How long a line may still be open; a provider closes it then by itself, whatever becomes of this process."""
        return timedelta(seconds=max(self._left(_HAS_LINE_FOR), 0))

    async def sendable(self) -> None:
        """Wait until messages may be handed over."""
        while not self.may_send:
            await self._extended.wait()

    async def line_over(self) -> None:
        """Wait until no line may be open any more."""
        while (left := self._left(_HAS_LINE_FOR)) > 0:  # noqa: ASYNC110  # time is what is waited for
            await asyncio.sleep(left)

    def _left(self, part: float) -> float:
        return self._ends - (1 - part) * self._ttl - boot_seconds()
