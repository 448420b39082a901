"""A simulation: WhatsApp in memory, the provider that speaks to it, and a session's line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from secrets import token_hex

from gateway.domain import lines as told
from gateway.domain.capabilities import OF_A_LINKED_DEVICE
from gateway.domain.identities import Names
from gateway.domain.ids import make_web_message_id
from gateway.domain.sessions import LinkedDevice
from gateway.ports.held_line import HeldLine, Kept
from gateway.ports.held_lines import HeldLines
from gateway.ports.provider import LineDown, Opening
from gateway.providers.simulator.numbers import BREAKS, ECHOES, NO_ACCOUNT, OUTCOMES, READS, SWITCHED_OFF, ending_of
from wagate.v1.content_pb2 import Content, Text
from wagate.v1.error_reason_pb2 import ERROR_REASON_PAIRED_WRONG_ACCOUNT, Failure


class Simulation(HeldLines["SimulatedLine"]):
    """WhatsApp, for as long as the process lives. What happens there a script says, in the gateway's own event loop.
    `outcomes` is what comes of writing to somebody, whatever the number says. Phones scan what is shown if they `pair`.
    """

    name = "simulator"
    capabilities = OF_A_LINKED_DEVICE
    lab = True
    new_message_id = staticmethod(make_web_message_id)

    def __init__(self, *, pair: bool = True) -> None:
        super().__init__()
        self.pair = pair
        self.outcomes: dict[str, told.SendOutcome] = {}
        self._inboxes: dict[str, asyncio.Queue[told.Fact]] = {}
        self._taken: set[str] = set()
        self._numbers = count(1)

    def make_line(self, opening: Opening, kept: Kept) -> SimulatedLine:
        return SimulatedLine(self, opening, kept)

    def inbox(self, phone_number: str) -> asyncio.Queue[told.Fact]:
        """What comes to a number from now on: messages and receipts."""
        return self._inboxes.setdefault(phone_number, asyncio.Queue())

    def say(self, sender: str, to: str, what: Content | str, quoted: told.Quoted | None = None) -> str:
        """Let somebody write to a number; the message's id."""
        content = Content(text=Text(text=what)) if isinstance(what, str) else what
        message = told.Outgoing(self.new_message_id(), Names(phone_number=to), content, quoted)
        self._hand_on(sender, message)
        return message.provider_message_id

    def receipt(self, reader: str, to: str, provider_message_ids: Sequence[str], kind: told.ReceiptKind) -> None:
        """Let a number know how far messages of its own got with somebody."""
        party = told.Party(Names(phone_number=reader))
        self._put(to, told.ReceiptArrived(party, party, tuple(provider_message_ids), kind, datetime.now(UTC)))

    def scan(self, code: str, phone_number: str = "") -> None:
        """Let a phone scan, or type, a code that a session shows; somebody's phone if no number is given."""
        phone_number = phone_number or f"+999{next(self._numbers):05}100"
        device = LinkedDevice(f"{phone_number[1:]}:{next(self._numbers)}@s.whatsapp.net", "", phone_number)
        for line in self.lines():
            line.scanned(code, device)

    def outcome_of(self, phone_number: str) -> told.SendOutcome | None:
        """What comes of writing to a number; None if WhatsApp takes the message."""
        return self.outcomes.get(phone_number) or OUTCOMES.get(ending_of(phone_number))

    def take(self, sender: str, message: told.Outgoing) -> told.SendOutcome:
        """Take what a session sends, once under each id; what comes of it."""
        outcome = self.outcome_of(message.to.phone_number) or told.Sent(datetime.now(UTC), message.to)
        is_new = message.provider_message_id not in self._taken
        if is_new and not isinstance(outcome, told.Refused | told.NotSent):
            self._taken.add(message.provider_message_id)
            asyncio.get_running_loop().call_soon(self._hand_on, sender, message)
        return outcome

    def _hand_on(self, sender: str, message: told.Outgoing) -> None:
        """Hand a message to whom it is for, who does with it what the number says."""
        to, author, ids = message.to.phone_number, Names(phone_number=sender), [message.provider_message_id]
        place = told.Place(ids[0], told.Party(author), told.Party(author), from_me=False, send_time=datetime.now(UTC))
        answered: tuple[str, Names | None, str] = ("", None, "")
        if quoted := message.quoted:
            answered = (quoted.provider_message_id, quoted.author, quoted.content.text.text)
        ending, confirm = ending_of(to), partial(self.receipt, to, sender, ids)
        delivered = None if ending in SWITCHED_OFF else partial(confirm, told.ReceiptKind.DELIVERED)
        self._put(to, told.MessageArrived(place, message.content, *answered, message.mentions), delivered)
        if ending in READS:
            confirm(told.ReceiptKind.READ)
        if ending in ECHOES:
            self.say(to, sender, message.content, told.Quoted(ids[0], author, message.content))
        for line in self.lines(sender) if ending in BREAKS else ():
            line.go_down(*BREAKS[ending])

    def _put(self, to: str, mail: told.Fact, then: Callable[[], None] | None = None) -> None:
        """Put mail before whoever has a number, and do something once they have it."""
        lines = self.lines(to)
        for line in lines:
            line.report_until_stored(mail, then)
        if then and not lines:
            then()
        if to in self._inboxes:
            self._inboxes[to].put_nowait(mail)


class SimulatedLine(HeldLine):
    """See `Line`. WhatsApp answers at once here, and what a line shows does not expire."""

    def __init__(self, simulation: Simulation, opening: Opening, kept: Kept) -> None:
        super().__init__(opening, kept)
        self._simulation = simulation
        self._attempt_id = self._code = ""

    def scanned(self, code: str, device: LinkedDevice) -> None:
        """See that a phone scanned, or typed, a code: if it is the one that is shown, link the phone's account."""
        if code != self._code:
            return
        self._code = ""
        if self.opening.expected_phone_number in ("", device.phone_number):
            self.report(told.DeviceLinked(self._attempt_id, device), partial(self._linked, device))
        else:
            failure = Failure(reason=ERROR_REASON_PAIRED_WRONG_ACCOUNT, message="Another's phone scanned it.")
            self.report(told.PairingFailed(self._attempt_id, failure))

    async def send(self, message: told.Outgoing, *, timeout: float) -> told.SendOutcome:  # noqa: ARG002
        self.check_up()
        return self._simulation.take(self.phone_number, message)

    async def mark_read(
        self, chat: told.Party, sender: Names, provider_message_ids: Sequence[str], moment: datetime, *, timeout: float
    ) -> None:
        del chat, moment, timeout  # there are no groups, and nobody to wait for
        self.check_up()
        self._simulation.receipt(self.phone_number, sender.phone_number, provider_message_ids, told.ReceiptKind.READ)

    async def check(self, phone_numbers: Sequence[str], *, timeout: float) -> list[told.CheckedContact]:  # noqa: ARG002
        self.check_up()
        outcomes = {number: self._simulation.outcome_of(number) for number in phone_numbers}
        if any(isinstance(outcome, told.OutcomeUnknown) for outcome in outcomes.values()):
            raise TimeoutError("WhatsApp's answer was lost.")
        return [told.CheckedContact(n, outcomes[n] != NO_ACCOUNT, Names(phone_number=n)) for n in phone_numbers]

    async def start_pairing(self, attempt_id: str, phone_number: str) -> None:
        self.check_open()
        if self.device:
            raise LineDown("A device is linked already.")
        self._attempt_id, self._code = attempt_id, token_hex(4).upper()
        self.report(told.CodeShown(attempt_id, self._code, datetime.now(UTC) + timedelta(hours=1), codes_left=0))
        if self._simulation.pair:
            self._simulation.scan(self._code, phone_number or self.opening.expected_phone_number)

    async def cancel_pairing(self) -> None:
        self.check_open()
        self._code = ""

    def _linked(self, device: LinkedDevice, stored: bool) -> None:
        if stored:
            self.link(device)
            self.connect()
