"""A session's line to a simulation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from gateway.domain import lines as told
from gateway.domain.identities import Names
from gateway.domain.lines import LineState as State
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import ChallengeUnknown, LineDown, LineGone, Opening
from gateway.providers.simulator.keys import Keys, Mail, Telling, Then
from gateway.providers.simulator.people import names_of, number_of
from wagate.v1 import pairing_service_pb2 as pairing
from wagate.v1.error_reason_pb2 import ErrorReason as Reason
from wagate.v1.error_reason_pb2 import Failure

if TYPE_CHECKING:
    from gateway.providers.simulator.simulation import Simulation

_PAIRED_WITHIN, _PAUSE = 160.0, 0.2
_USUAL: Final = {
    State.DEGRADED: Reason.ERROR_REASON_LINE_UNRESPONSIVE,
    State.RECONNECTING: Reason.ERROR_REASON_LINE_LOST,
    State.LOGGED_OUT: Reason.ERROR_REASON_SESSION_LOGGED_OUT,
    State.BLOCKED: Reason.ERROR_REASON_SESSION_REPLACED,
}


class SimulatorLine:
    """A line under one lease. `attempt` is the one at pairing that is under way, and the code that it shows."""

    def __init__(self, simulation: Simulation, keys: Keys, opening: Opening) -> None:
        self.device = keys.device
        self.is_up, self.attempt = False, ("", "")
        self._simulation, self._keys, self._opening = simulation, keys, opening
        self._ahead = asyncio.Queue[Telling | None]()
        self._over = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ended = ""
        self._last_for(opening.remaining)
        if keys.device:
            self._connect()
        else:
            self.change(State.LOGGED_OUT if opening.device else State.UNLINKED)

    async def incoming(self) -> AsyncGenerator[Telling]:
        while telling := await self._ahead.get():
            if telling.holds:
                yield telling
        self._ahead.put_nowait(None)
        raise LineGone(self._ended)

    def tell(self, fact: told.Fact, then: Then | None = None) -> None:
        """Tell something; `then` takes whether it is stored."""
        self._ahead.put_nowait(Telling(fact, then, self._over))

    def put(self, mail: Mail) -> None:
        """Tell what stays with WhatsApp until it is settled."""
        if self.is_up:
            self.tell(mail, self._taken)

    def change(self, state: State, reason: Reason.ValueType | None = None, seconds: float | None = None) -> None:
        """Bring the line into a state, for a reason; after these seconds, if they are given, it comes up again."""
        seconds = _PAUSE if state is State.RECONNECTING and seconds is None else seconds
        until = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
        was_up, self.is_up = self.is_up, state is State.CONNECTED or (self.is_up and state is State.DEGRADED)
        if self.is_up != was_up:
            self._over.set()
            self._over = asyncio.Event()
        if state in (State.UNLINKED, State.LOGGED_OUT):
            self.device = self._keys.device = None
            self._keys.mail.clear()
        failure = _failure(reason or _USUAL[state]) if state in _USUAL else None
        next_time, ban_end = (until, None) if state is State.RECONNECTING else (None, until)
        device = self.device if state is State.CONNECTED else None
        self.tell(told.LineChanged(state, failure, next_time, ban_end, device, self._opening.push_name))
        if self.is_up and not was_up:
            self._catch_up()
        self._later("change", seconds, partial(self.change, State.CONNECTED))

    def scan(self, device: LinkedDevice) -> None:
        """Let the phone of an account scan, or type, the code that is shown, and link this device to it."""
        if self._opening.expected_phone_number not in ("", device.phone_number):
            self._fail(Reason.ERROR_REASON_PAIRED_WRONG_ACCOUNT)
        else:
            linked = told.DeviceLinked(self.attempt[0], device, self._opening.push_name)
            self.attempt = ("", "")
            self.tell(linked, partial(self._linked, linked))

    def end(self, why: str) -> None:
        """End the line for good."""
        if not self._ended:
            self._fail(Reason.ERROR_REASON_PAIRING_CANCELED)
            self.change(State.CLOSED)
            self._over.set()
            self._ended, self._keys.line = why, None
            self._later("lease", None, partial(self.end, why))
            self._ahead.put_nowait(None)

    async def renew(self, remaining: timedelta) -> None:
        self._check()
        self._last_for(remaining)

    async def send(self, message: told.Outgoing, *, timeout: float) -> told.SendOutcome:
        delay = self._simulation.person(number_of(message.to)).delay
        outcome = self._simulation.take(self._phone_number(), message)
        if await self._is_lost_within(min(delay, timeout)):
            return told.OutcomeUnknown("The line was lost.")
        return outcome if delay < timeout else told.OutcomeUnknown("WhatsApp did not answer in time.")

    async def mark_read(
        self, chat: told.Party, sender: Names, provider_message_ids: Sequence[str], moment: datetime, *, timeout: float
    ) -> None:
        del chat, moment, timeout  # there are no groups, and nobody to wait for
        reader, author = self._phone_number(), number_of(sender)
        self._simulation.receipt(reader, author, provider_message_ids, told.ReceiptKind.READ)

    async def check(self, phone_numbers: Sequence[str], *, timeout: float) -> list[told.CheckedContact]:
        self._phone_number()
        people = [self._simulation.person(phone_number) for phone_number in phone_numbers]
        delay = max((person.delay for person in people), default=0)
        if await self._is_lost_within(min(delay, timeout)):
            raise LineDown("The line was lost.")
        if delay >= timeout:
            raise TimeoutError("WhatsApp did not answer in time.")
        return [
            told.CheckedContact(number, person.on_whatsapp, names_of(number) if person.on_whatsapp else Names())
            for number, person in zip(phone_numbers, people, strict=True)
        ]

    async def start_pairing(self, attempt_id: str, phone_number: str) -> None:
        self._check()
        if self.device:
            raise LineDown("A device is linked already.")
        self._fail(Reason.ERROR_REASON_PAIRING_SUPERSEDED)
        self.attempt = attempt_id, f"{token_hex(2)}-{token_hex(2)}".upper()
        self.tell(told.CodeShown(*self.attempt, datetime.now(UTC) + timedelta(seconds=_PAIRED_WITHIN), codes_left=0))
        self._later("pairing", _PAIRED_WITHIN, partial(self._fail, Reason.ERROR_REASON_PAIRING_TIMED_OUT))
        self._simulation.shown(self.attempt[1], phone_number or self._opening.expected_phone_number)

    async def answer_challenge(self, answer: pairing.AnswerPairingChallengeRequest) -> None:
        self._check()
        raise ChallengeUnknown(f"{answer.attempt_id} asks nothing.")

    async def cancel_pairing(self) -> None:
        self._check()
        self._fail(Reason.ERROR_REASON_PAIRING_CANCELED)

    async def logout(self) -> None:
        await self.cancel_pairing()
        self.change(State.UNLINKED)

    async def close(self) -> None:
        self.end("It was closed.")

    def _connect(self) -> None:
        self.tell(told.LineChanged(State.OPENING))
        self.change(State.CONNECTED)

    def _catch_up(self) -> None:
        """Tell all that had waited at WhatsApp."""
        count = len(self._keys.mail)
        self.tell(told.OfflineSync(completed=False, item_count=count))
        for mail in self._keys.mail:
            if isinstance(mail, told.MessageArrived):
                mail = replace(mail, place=replace(mail.place, offline=True))  # noqa: PLW2901
            self.tell(mail, self._taken)
        self.tell(told.OfflineSync(completed=True, item_count=count))

    def _check(self) -> None:
        if asyncio.get_running_loop().time() >= self._until:
            self.end("Its lease ran out.")
        if self._ended:
            raise LineGone(self._ended)

    def _phone_number(self) -> str:
        self._check()
        if not self.is_up:
            raise LineDown("The line is not connected.")
        return self._keys.phone_number

    async def _is_lost_within(self, seconds: float) -> bool:
        """Wait for WhatsApp's answer, or for the end of the line."""
        over = self._over
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), seconds)
        return over.is_set()

    def _taken(self, stored: bool) -> None:
        if not stored:
            self.change(State.RECONNECTING)
            return
        mail = self._keys.mail.popleft()
        if isinstance(mail, told.MessageArrived):
            author, ids = number_of(mail.place.sender.names), [mail.place.provider_message_id]
            self._simulation.receipt(self._keys.phone_number, author, ids, told.ReceiptKind.DELIVERED)

    def _linked(self, linked: told.DeviceLinked, stored: bool) -> None:
        if stored:
            self.device = self._keys.device = linked.device
            self._connect()
        else:
            self.tell(told.PairingFailed(linked.attempt_id, _failure(Reason.ERROR_REASON_PAIRING_FAILED)))

    def _fail(self, reason: Reason.ValueType) -> None:
        """End the pairing attempt under way, if there is one."""
        if self.attempt[0]:
            self.tell(told.PairingFailed(self.attempt[0], _failure(reason)))
            self.attempt = ("", "")

    def _last_for(self, remaining: timedelta) -> None:
        self._until = asyncio.get_running_loop().time() + remaining.total_seconds()
        self._later("lease", remaining.total_seconds(), partial(self.end, "Its lease ran out."))

    def _later(self, what: str, seconds: float | None, then: Callable[[], None]) -> None:
        """Let something happen later, instead of what was to happen under this name; with None, let nothing happen."""
        if earlier := self._timers.pop(what, None):
            earlier.cancel()
        if seconds is not None:
            self._timers[what] = asyncio.get_running_loop().call_later(seconds, then)


def _failure(reason: Reason.ValueType) -> Failure:
    return Failure(reason=reason, message="The simulation wants it so.")
