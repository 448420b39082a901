"""A simulation: WhatsApp in memory, and the provider that speaks to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Final

from gateway.domain import lines as told
from gateway.domain.identities import Names
from gateway.domain.lines import LineState, ReceiptKind
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import LineDown, Opening, ProviderHealth
from gateway.providers.simulator.keys import Keys, Mail
from gateway.providers.simulator.people import Person, names_of, number_of, person_of
from gateway.providers.simulator.simulator_line import SimulatorLine
from wagate.v1.content_pb2 import Content, Text
from wagate.v1.error_reason_pb2 import ErrorReason as Reason

_CAPABILITIES: Final = (
    "send.text",
    "send.reply",
    "send.mention",
    "receipt.read",
    "contact.check",
    "pair.qr",
    "pair.code",
)
_STATES: Final = "connected|degraded|reconnecting|logged out|blocked"
_REASONS: Final = "|".join(Reason.keys()).replace("ERROR_REASON_", "")
_CHANGE: Final = re.compile(f"({_STATES})(?: ({_REASONS}))?(?: ([0-9]+))?")


class Simulation:
    """WhatsApp, for as long as the process lives. What happens there a script says, in the gateway's own event loop.
    `people` are those who behave otherwise than their number says. Phones scan unasked what is shown if they `pair`.
    """

    name = "simulator"
    capabilities: tuple[str, ...] = _CAPABILITIES

    def __init__(self, *, pair: bool = True) -> None:
        self.people: dict[str, Person] = {}
        self._pair = pair
        self._keys: dict[str, Keys] = {}
        self._inboxes: dict[str, asyncio.Queue[Mail]] = {}
        self._tried: set[str] = set()
        self._taken: set[str] = set()
        self._numbers = count(1)

    def new_message_id(self) -> str:
        return "3EB0" + token_hex(9).upper()

    async def open(self, opening: Opening) -> SimulatorLine:
        keys = self._keys.setdefault(opening.session_uid, Keys())
        if opening.lease.fence < keys.fence or opening.remaining <= timedelta(0):
            raise LineDown("Another has the lease, or it has run out.")
        if keys.line:
            keys.line.end("It was opened anew.")
        keys.fence, keys.line = opening.lease.fence, SimulatorLine(self, keys, opening)
        return keys.line

    def kept_sessions(self) -> list[str]:
        return list(self._keys)

    def erase(self, session_uid: str) -> bool:
        keys = self._keys.pop(session_uid, Keys())
        if keys.line:
            self._keys[session_uid] = keys
        return keys.line is None

    def health(self) -> ProviderHealth:
        return ProviderHealth(serving=True, lab=True)

    def person(self, phone_number: str) -> Person:
        """Who has a number."""
        return self.people.get(phone_number) or person_of(phone_number)

    def inbox(self, phone_number: str) -> asyncio.Queue[Mail]:
        """What comes to a number from now on."""
        return self._inboxes.setdefault(phone_number, asyncio.Queue())

    def say(self, sender: str, to: str, what: Content | str, quoted: told.Quoted | None = None) -> str:
        """Let someone write to an account; the message's id."""
        content = Content(text=Text(text=what)) if isinstance(what, str) else what
        message = told.Outgoing(self.new_message_id(), names_of(to), content, quoted)
        self._put(to, _arrived(sender, message))
        return message.provider_message_id

    def receipt(self, reader: str, to: str, provider_message_ids: Iterable[str], kind: ReceiptKind) -> None:
        """Let an account know how far messages of its own got with someone."""
        party = told.Party(names_of(reader))
        self._put(to, told.ReceiptArrived(party, party, tuple(provider_message_ids), kind, _now()))

    def scan(self, code: str, phone_number: str) -> None:
        """Let a phone scan, or type, the code that a session shows."""
        jid = f"{phone_number[1:]}:{next(self._numbers)}@s.whatsapp.net"
        device = LinkedDevice(jid, names_of(phone_number).lid, phone_number)
        for line in [line for line in self.lines() if line.attempt[1] == code]:
            line.scan(device)

    def change(
        self, phone_number: str, state: LineState, reason: Reason.ValueType | None = None, seconds: float | None = None
    ) -> None:
        """Bring an account's lines into a state, for a reason; after these seconds, if given, they come up again."""
        for line in self.lines(phone_number):
            line.change(state, reason, seconds)

    def lines(self, phone_number: str = "") -> list[SimulatorLine]:
        """The lines that are open, of one account or of all."""
        return [keys.line for keys in self._keys.values() if keys.line and phone_number in ("", keys.phone_number)]

    def shown(self, code: str, phone_number: str) -> None:
        """See that a code is shown, to who has a number or to anybody."""
        phone_number = phone_number or f"+999{next(self._numbers):06}1"
        if self._pair and self.person(phone_number).pairs:
            self.scan(code, phone_number)

    def take(self, sender: str, message: told.Outgoing) -> told.SendOutcome:
        """Take what an account sends, once under each id; what comes of it."""
        to, message_id = number_of(message.to), message.provider_message_id
        person, is_first = self.person(to), message_id not in self._tried
        self._tried.add(message_id)
        outcome = person.outcome if is_first or not person.once else None
        deed = self._order(sender, message) if person.directs else partial(self._pass_on, sender, to, message)
        if deed is None:
            outcome = told.Refused("400")
        elif not isinstance(outcome, told.Refused | told.NotSent) and message_id not in self._taken:
            self._taken.add(message_id)
            asyncio.get_running_loop().call_soon(deed)
        return outcome or told.Sent(_now(), names_of(to))

    def _order(self, sender: str, message: told.Outgoing) -> Callable[[], object] | None:
        """What the director is to do: `+NUMBER words` are to be said, or a state comes, with a reason and seconds."""
        text = message.content.text.text
        speaker, _, words = text.partition(" ")
        if speaker.startswith("+") and words:
            return partial(self.say, speaker, sender, words)
        if change := _CHANGE.fullmatch(text):
            state, reason, seconds = change.groups()
            why = Reason.Value(f"ERROR_REASON_{reason}") if reason else None
            return partial(self.change, sender, LineState(state), why, float(seconds) if seconds else None)
        return None

    def _pass_on(self, sender: str, to: str, message: told.Outgoing) -> None:
        person, message_id = self.person(to), message.provider_message_id
        self._put(to, _arrived(sender, message))
        if person.delivers and not self.lines(to):
            self.receipt(to, sender, [message_id], ReceiptKind.DELIVERED)
        if person.reads:
            self.receipt(to, sender, [message_id], ReceiptKind.READ)
        if person.echoes:
            self.say(to, sender, message.content, told.Quoted(message_id, names_of(sender), message.content))

    def _put(self, to: str, mail: Mail) -> None:
        for keys in self._keys.values():
            if keys.phone_number == to:
                keys.mail.append(mail)
                if keys.line:
                    keys.line.put(mail)
        if to in self._inboxes:
            self._inboxes[to].put_nowait(mail)


def _arrived(sender: str, message: told.Outgoing) -> told.MessageArrived:
    """A message as its recipient sees it."""
    party, content = told.Party(names_of(sender)), Content()
    content.CopyFrom(message.content)
    content.ClearField("context")
    place = told.Place(message.provider_message_id, party, party, from_me=False, send_time=_now())
    quoted = message.quoted or told.Quoted("", Names(), Content())
    author, preview = quoted.author if message.quoted else None, quoted.content.text.text[:1024]
    return told.MessageArrived(place, content, quoted.provider_message_id, author, preview, message.mentions)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
