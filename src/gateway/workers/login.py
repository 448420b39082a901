"""A login: what the sending of an outbox remembers for as long as its line stays up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.messages import Message

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Pause:
    """How long a message that did not leave waits: `seconds` in all, and `until` then by the loop's clock."""

    seconds: float
    until: float


@dataclass(slots=True)
class Login:
    """What happened since the line came up: which messages became unconfirmed, and when; which did not leave; and from
    when on those that were unconfirmed before may be repeated, if that is known yet.
    """

    unknown_since: dict[str, float] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    repeats_from: float | None = None

    def has_news_of(self, heads: Sequence[Message]) -> bool:
        """Whether one of these may soon be sent, repeated or ended."""
        return any(head.message_id in self.unknown_since or head.message_id in self.pauses for head in heads)

    def next_pause(self, message_id: str) -> float:
        """How long a message that did not leave waits: twice as long as the last time."""
        last = self.pauses.get(message_id)
        return min(last.seconds * 2, LONGEST_PAUSE_SECONDS) if last else FIRST_PAUSE_SECONDS
