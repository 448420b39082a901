"""The lines of a provider that holds them by itself: one for each session, and the newest owner's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Generic, TypeVar

from gateway.ports.held_line import HeldLine, Kept
from gateway.ports.provider import LineDown, Opening, ProviderHealth

L = TypeVar("L", bound=HeldLine)


class HeldLines(ABC, Generic[L]):
    """The part of a `Provider` that opens lines, and knows what is linked until it is to forget that. It always works;
    `lab` tells whether it speaks to WhatsApp itself.
    """

    name: str
    capabilities: tuple[str, ...]
    lab: bool

    def __init__(self) -> None:
        self._last: dict[str, L] = {}

    @abstractmethod
    def make_line(self, opening: Opening, kept: Kept) -> L:
        """Make the line of a session that keeps this from the one before."""

    async def open(self, opening: Opening) -> L:
        before = self._last.get(opening.session_uid)
        if opening.remaining <= timedelta(0) or (before and opening.lease.fence < before.opening.lease.fence):
            raise LineDown("Another has the lease, or it has run out.")
        if before:
            before.end("It was opened anew.")
        line = self._last[opening.session_uid] = self.make_line(opening, before.kept if before else Kept())
        line.begin()
        return line

    def kept_sessions(self) -> list[str]:
        return list(self._last)

    def pace(self, reconnects: float) -> None:
        """A line of this sort is never made again by itself."""

    def erase(self, session_uid: str) -> bool:
        if session_uid in self._last and self._last[session_uid].ended:
            del self._last[session_uid]
        return session_uid not in self._last

    def health(self) -> ProviderHealth:
        return ProviderHealth(serving=True, lab=self.lab)

    def lines(self, phone_number: str = "") -> list[L]:
        """The last line of each session, open or not; of those linked to one account, or of all."""
        return [line for line in self._last.values() if phone_number in ("", line.phone_number)]
