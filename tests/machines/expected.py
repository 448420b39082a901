"""What a message is expected to be: the contract's words on states, holds, repeats and reach, as a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.lines import NotSent, OutcomeUnknown, Refused, SendOutcome, Sent
from gateway.domain.messages import Level, State

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60))
REPEATS: Final = 3
WAITING: Final = frozenset({State.STATE_QUEUED, State.STATE_SENDING, State.STATE_UNCONFIRMED})
ENDED: Final = frozenset({State.STATE_FAILED, State.STATE_EXPIRED, State.STATE_CANCELED})


@dataclass
class Expected:
    """One message. `told` are the states and reaches that the log tells of it after its acceptance, in order."""

    message_id: str
    chat: int
    give_up_time: datetime
    state: State.ValueType = State.STATE_QUEUED
    furthest: Level.ValueType = Level.LEVEL_UNSPECIFIED
    repeats: int = 0
    refusals: int = 0
    pause_until: datetime | None = None
    waits_for_word: bool = False
    told: list[tuple[State.ValueType, Level.ValueType]] = field(default_factory=list)

    def waits(self) -> bool:
        """Whether it stands in the outbox."""
        return self.state in WAITING

    def lets_others_pass(self, now: datetime) -> bool:
        """Whether those behind it go first."""
        return self.state == State.STATE_QUEUED and self._pauses(now)

    def may_begin(self, now: datetime) -> bool:
        """Whether it may be handed over now."""
        if self._pauses(now) or self.give_up_time <= now:
            return False
        if self.state == State.STATE_UNCONFIRMED:
            return self.repeats < REPEATS and not self.waits_for_word
        return self.state == State.STATE_QUEUED

    @property
    def is_repeated_out(self) -> bool:
        """Whether it was repeated as often as a message is, and may be ended."""
        return self.state == State.STATE_UNCONFIRMED and self.repeats >= REPEATS and not self.waits_for_word

    def begin(self) -> None:
        """It is handed over."""
        self.repeats += self.state == State.STATE_UNCONFIRMED
        self.pause_until = None
        self._go(State.STATE_SENDING)

    def finish(self, outcome: SendOutcome, now: datetime, *, holds: bool) -> None:
        """An attempt ended; `holds` is whether the session holds what is ambiguous."""
        if self.state != State.STATE_SENDING:
            return
        match outcome:
            case Sent():
                self._go(State.STATE_SENT)
            case OutcomeUnknown():
                self.lose_sight(holds=holds)
            case NotSent():
                self._go_back()
                self.repeats = max(self.repeats - 1, 0)
            case Refused(provider_code="503") if self.refusals < len(PAUSES):
                self.pause_until = now + PAUSES[self.refusals]
                self.refusals += 1
                self._go_back()
            case Refused():
                self._go(State.STATE_FAILED)

    def lose_sight(self, *, holds: bool) -> None:
        """Nobody knows whether it left."""
        self.waits_for_word = holds
        self._go(State.STATE_UNCONFIRMED)

    def release(self) -> None:
        """A caller said that it is to be repeated."""
        self.waits_for_word = False
        self._go(self.state)

    def end(self, state: State.ValueType) -> None:
        """It ends without arrival."""
        self.waits_for_word = False
        self.pause_until = None
        self._go(state)

    def arrive(self, level: Level.ValueType) -> None:
        """A receipt tells that it got so far: all that it implies is told first."""
        if self.state == State.STATE_QUEUED:
            self._go(State.STATE_SENDING)
        if self.waits():
            self.waits_for_word = False
            self.pause_until = None
            self._go(State.STATE_SENT)
        for step in range(self.furthest + 1, level + 1):
            self.furthest = Level.ValueType(step)
            self._go(self.state)

    def _go_back(self) -> None:
        self._go(State.STATE_UNCONFIRMED if self.repeats else State.STATE_QUEUED)

    def _pauses(self, now: datetime) -> bool:
        return self.pause_until is not None and self.pause_until > now

    def _go(self, state: State.ValueType) -> None:
        self.state = state
        self.told.append((state, self.furthest))
