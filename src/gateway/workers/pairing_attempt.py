"""A pairing attempt: one per session, watched by up to 8, outliving them all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.errors import TooManyWatchers
from gateway.domain.pairing import LAST_FRAMES, MOST_WATCHERS
from wagate.v1 import pairing_service_pb2 as pb

_FORGOTTEN_AFTER_SECONDS: Final = 60.0


@dataclass(slots=True)
class PairingAttempt:
    """The steps of one attempt so far. `phone_number` is empty for an attempt by QR. Times are the loop's."""

    attempt_id: str
    phone_number: str
    frames: list[pb.PairSessionResponse] = field(default_factory=list)
    _watchers: dict[str, float] = field(default_factory=dict)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def is_ended(self) -> bool:
        """Whether the last frame was shown."""
        return bool(self.frames) and self.frames[-1].WhichOneof("frame") in LAST_FRAMES

    @property
    def current(self) -> pb.PairSessionResponse | None:
        """The step that is current."""
        return self.frames[-1] if self.frames else None

    def watch(self, watcher_id: str) -> None:
        """Note that a watcher is there.

        Raises:
            TooManyWatchers: 8 others are there already.
        """
        now = asyncio.get_running_loop().time()
        self._watchers = {
            other: seen for other, seen in self._watchers.items() if now - seen < _FORGOTTEN_AFTER_SECONDS
        }
        if watcher_id not in self._watchers and len(self._watchers) >= MOST_WATCHERS:
            raise TooManyWatchers
        self._watchers[watcher_id] = now

    async def show(self, frame: pb.PairSessionResponse) -> None:
        """Add a step, and wake the watchers."""
        frame.attempt_id = self.attempt_id
        async with self._grown:
            self.frames.append(frame)
            self._grown.notify_all()

    async def after(self, number: int, seconds: float) -> tuple[list[pb.PairSessionResponse], int]:
        """The frames behind the one of this number (a late watcher begins at the current one), and the number of the
        last; none if none came within so many seconds.
        """
        async with self._grown:
            try:
                async with asyncio.timeout(max(seconds, 0)):
                    await self._grown.wait_for(lambda: len(self.frames) > number)
            except TimeoutError:
                return [], number
            first = number or len(self.frames) - 1
            return self.frames[first:], len(self.frames)
