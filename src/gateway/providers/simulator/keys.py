"""What outlives a session's lines, and how it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.domain.lines import Fact, MessageArrived, ReceiptArrived
from gateway.domain.sessions import LinkedDevice

if TYPE_CHECKING:
    from gateway.providers.simulator.simulator_line import SimulatorLine

Mail = MessageArrived | ReceiptArrived
Then = Callable[[bool], None]


@dataclass(slots=True)
class Keys:
    """What outlives a session's lines: its highest fence, its link, and its mail, kept by WhatsApp until settled."""

    fence: int = 0
    line: SimulatorLine | None = None
    device: LinkedDevice | None = None
    mail: deque[Mail] = field(default_factory=deque)

    @property
    def phone_number(self) -> str:
        """The number of the account that is linked; empty if none is."""
        return self.device.phone_number if self.device else ""


@dataclass(slots=True)
class Telling:
    """One thing that a line tells. `then` takes what is said of it, unless that is said after the login is `over`."""

    fact: Fact
    then: Then | None
    over: asyncio.Event

    @property
    def holds(self) -> bool:
        """Whether it is to be told: what WhatsApp keeps is told anew in each login."""
        return not (self.then and self.over.is_set())

    async def settle(self) -> None:
        self._end(True)

    async def refuse(self) -> None:
        self._end(False)

    def _end(self, stored: bool) -> None:
        if self.then and self.holds:
            self.then(stored)
        self.then = None
