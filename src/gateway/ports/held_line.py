"""Lines that this process holds by itself, with no engine behind them: what a line is, whatever is spoken over it.

A lease ends it; it goes down and comes up; and what must be stored is told until it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.lines import Fact, LineChanged, LineState, OfflineSync
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import ChallengeUnknown, LineDown, LineGone, Opening
from wagate.v1.error_reason_pb2 import ErrorReason, Failure
from wagate.v1.pairing_service_pb2 import AnswerPairingChallengeRequest

_BACK_AFTER_SECONDS: Final = 0.2
_RAN_OUT: Final = "Its lease ran out."


@dataclass(slots=True)
class Told:
    """One thing that a line tells: see `Incoming`. `then` takes whether it is stored, if anybody wants to know."""

    fact: Fact
    line: HeldLine
    login: int
    then: Callable[[bool], None] | None

    @property
    def is_void(self) -> bool:
        """Whether somebody wanted to know, and the line has changed since: it is told anew."""
        return self.then is not None and self.login != self.line.login

    async def settle(self) -> None:
        self._answer(stored=True)

    async def refuse(self) -> None:
        self._answer(stored=False)

    def _answer(self, *, stored: bool) -> None:
        if self.then is not None and not self.is_void:
            self.then(stored)


@dataclass(slots=True)
class Kept:
    """What outlives a session's lines: its link, and what is told until it is stored, with what is done then."""

    device: LinkedDevice | None = None
    facts: deque[tuple[Fact, Callable[[], None] | None]] = field(default_factory=deque)


class HeldLine:
    """A line under a lease: see `Line`. `ended` says why it is gone, and is empty while it is not; `login` is another
    number each time it comes up or goes down.
    """

    def __init__(self, opening: Opening, kept: Kept) -> None:
        self.opening, self.kept, self.device = opening, kept, kept.device
        self.ended, self.is_up, self.login = "", False, 0
        self._ahead = asyncio.Queue[Told | None]()
        self._lease = self._held_for(opening.remaining)

    @property
    def phone_number(self) -> str:
        """The number of the account that is linked; empty if none is."""
        return self.device.phone_number if self.device else ""

    def report(self, fact: Fact, then: Callable[[bool], None] | None = None) -> None:
        """Tell something. `then` takes whether it is stored, if that is said before the line changes."""
        self._ahead.put_nowait(Told(fact, self, self.login, then))

    def report_until_stored(self, fact: Fact, then: Callable[[], None] | None = None) -> None:
        """Tell something that is to be stored: once the line is up, in order, and anew after a refusal."""
        self.kept.facts.append((fact, then))
        if self.is_up:
            self.report(fact, self._first_answered)

    def link(self, device: LinkedDevice | None) -> None:
        """Note what is linked; what is still to be stored is forgotten with the link that it came by."""
        self.device = self.kept.device = device
        self.kept.facts.clear()

    def begin(self) -> None:
        """Tell where the line is, now that it is open."""
        if self.device is not None:
            self.change(LineChanged(LineState.OPENING))
            self.connect()
        elif self.opening.device is not None:
            self.go_down(LineState.LOGGED_OUT, ErrorReason.ERROR_REASON_SESSION_LOGGED_OUT)
        else:
            self.change(LineChanged(LineState.UNLINKED))

    def connect(self) -> None:
        """Be connected, and tell all that is to be stored."""
        self.change(LineChanged(LineState.CONNECTED, device=self.device, push_name=self.opening.push_name))
        for fact, _ in self.kept.facts:
            self.report(fact, self._first_answered)
        self.report(OfflineSync(completed=True, item_count=len(self.kept.facts)))

    def go_down(self, state: LineState, reason: ErrorReason.ValueType, seconds: float = 0) -> None:
        """Be in a worse state for a reason, and come up again after these seconds, unless they are 0."""
        if state is LineState.LOGGED_OUT:
            self.link(None)
        until = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
        failure = Failure(reason=reason, message=f"The line is {state.value}.")
        self.change(LineChanged(state, failure, until, until))
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._come_back, self.login)

    def change(self, change: LineChanged) -> None:
        """Be in another state, and tell that; what was to be stored by then is told anew when the line comes up."""
        self.login += 1
        self.is_up = change.state is LineState.CONNECTED
        self.report(change)

    def end(self, why: str) -> None:
        """Be gone for good, once all is read that was told. The first reason stays."""
        if not self.ended:
            self.ended, self.is_up = why, False
            self.login += 1
            self._lease.cancel()
            self._ahead.put_nowait(None)

    def check_open(self) -> None:
        """Raise LineGone if the line is gone."""
        if asyncio.get_running_loop().time() >= self._lease.when():
            self.end(_RAN_OUT)
        if self.ended:
            raise LineGone(self.ended)

    def check_up(self) -> None:
        """Raise LineGone if the line is gone, and LineDown if it is not connected."""
        self.check_open()
        if not self.is_up:
            raise LineDown("The line is not connected.")

    async def incoming(self) -> AsyncGenerator[Told]:
        while told := await self._ahead.get():
            if not told.is_void:
                yield told
        self._ahead.put_nowait(None)
        raise LineGone(self.ended)

    async def renew(self, remaining: timedelta) -> None:
        self.check_open()
        self._lease.cancel()
        self._lease = self._held_for(remaining)

    async def answer_challenge(self, answer: AnswerPairingChallengeRequest) -> None:
        self.check_open()
        raise ChallengeUnknown(f"{answer.attempt_id} asks nothing.")

    async def logout(self) -> None:
        self.check_open()
        self.link(None)
        self.change(LineChanged(LineState.UNLINKED))

    async def close(self) -> None:
        self.end("It was closed.")

    def _first_answered(self, stored: bool) -> None:
        if stored:
            _, then = self.kept.facts.popleft()
            if then is not None:
                then()
        else:
            self.go_down(LineState.RECONNECTING, ErrorReason.ERROR_REASON_LINE_LOST, _BACK_AFTER_SECONDS)

    def _come_back(self, login: int) -> None:
        if login == self.login and self.device is not None:
            self.connect()

    def _held_for(self, remaining: timedelta) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(remaining.total_seconds(), self.end, _RAN_OUT)
