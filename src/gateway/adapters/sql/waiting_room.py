"""The waiting room: units that others keep from being done, tried again from time to time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from gateway.adapters.sql.committing import Entry
from gateway.adapters.sql.guard import Needs, needs_of
from gateway.domain.errors import StoreUnavailable

_PAUSE_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 10.0


class WaitingRoom:
    """Who needs what those need who wait here waits behind them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._entries: list[Entry] = []
        self._held = Needs()
        self.is_due = False
        """Whether it is time to try those who wait here."""

    def __bool__(self) -> bool:
        return bool(self._entries)

    def sift(self, group: list[Entry]) -> list[Entry]:
        """Keep those of a group here who would wait in vain; return the others."""
        if not self._entries:
            return group
        behind = [entry for entry in group if needs_of([entry.prefetch]).meets(self._held)]
        self.put(behind)
        return [entry for entry in group if entry not in behind]

    def put(self, entries: list[Entry]) -> None:
        """Have units wait, unless they did for long enough."""
        now = asyncio.get_running_loop().time()
        for entry in entries:
            entry.give_up_at = entry.give_up_at or now + _PATIENCE_SECONDS
            if now >= entry.give_up_at:
                entry.fail(StoreUnavailable())
                continue
            if not self._entries:
                asyncio.get_running_loop().call_later(_PAUSE_SECONDS * random.uniform(0.5, 1.5), self._ripen)
            self._entries.append(entry)
            self._held.add(entry.needs or needs_of([entry.prefetch]))

    def take(self) -> list[Entry]:
        """All who wait, to be tried now."""
        entries, self._entries, self._held, self.is_due = self._entries, [], Needs(), False
        return entries

    def _ripen(self) -> None:
        self.is_due = True
        self._wake()
