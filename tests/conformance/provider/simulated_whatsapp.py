"""A simulation as the other side."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from gateway.domain.lines import (
    Fact,
    LineState,
    MessageArrived,
    OutcomeUnknown,
    ReachoutRestricted,
    ReceiptArrived,
    ReceiptKind,
    Refused,
)
from gateway.providers.simulator.simulation import Simulation
from tests.conformance.provider.operator import SOON
from tests.conformance.provider.whatsapp import Contact, Heard
from tests.stage.waiting import eventually
from wagate.v1.error_reason_pb2 import ErrorReason

_CUT_SECONDS = 0.2


class SimulatedWhatsApp:
    """See `WhatsApp`."""

    nobody = "+999000404"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._numbers = count(1)
        self._mail: defaultdict[str, list[Fact]] = defaultdict(list)

    async def account(self) -> Contact:
        return Contact(f"+4477009{next(self._numbers):05}", lid="")

    async def person(self, name: str) -> Contact:  # noqa: ARG002
        person = await self.account()
        self._simulation.inbox(person.phone_number)
        return person

    async def scan(self, account: Contact, code: str) -> None:
        self._simulation.scan(code, account.phone_number)
        await eventually(lambda: bool(self._simulation.lines(account.phone_number)))

    enter = scan

    async def say(self, person: Contact, to: Contact, text: str) -> str:
        return self._simulation.say(person.phone_number, to.phone_number, text)

    async def heard(self, person: Contact) -> Heard:
        mail = await self._take(person, lambda mail: isinstance(mail, MessageArrived), within=SOON)
        assert isinstance(mail, MessageArrived)
        place, text = mail.place, mail.content.text.text
        sender, quoted = place.sender.names.phone_number, mail.quoted_provider_message_id
        return Heard(place.provider_message_id, sender, text, quoted, len(mail.mentions))

    async def read(self, person: Contact, to: Contact, provider_message_id: str) -> None:
        self._simulation.receipt(person.phone_number, to.phone_number, [provider_message_id], ReceiptKind.READ)

    async def confirmed(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        return await self._receipt(person, ReceiptKind.DELIVERED, provider_message_id, within)

    async def told_read(self, person: Contact, provider_message_id: str, *, within: float) -> bool:
        return await self._receipt(person, ReceiptKind.READ, provider_message_id, within)

    async def refuse(self, account: Contact, person: Contact, code: int) -> None:  # noqa: ARG002
        self._simulation.outcomes[person.phone_number] = Refused(str(code))

    async def freeze(self, account: Contact, person: Contact) -> None:  # noqa: ARG002
        self._simulation.outcomes[person.phone_number] = OutcomeUnknown("There was no answer.")

    async def drop(self, account: Contact) -> None:
        self._take_down(account, LineState.RECONNECTING, ErrorReason.ERROR_REASON_LINE_LOST, _CUT_SECONDS)

    async def replace(self, account: Contact) -> None:
        self._take_down(account, LineState.BLOCKED, ErrorReason.ERROR_REASON_SESSION_REPLACED)

    async def outdate(self, account: Contact) -> None:
        self._take_down(account, LineState.BLOCKED, ErrorReason.ERROR_REASON_CLIENT_OUTDATED)

    async def ban(self, account: Contact, *, seconds: int) -> None:
        self._take_down(account, LineState.BLOCKED, ErrorReason.ERROR_REASON_ACCOUNT_BANNED, seconds)

    async def lock_reachout(self, account: Contact, *, seconds: int) -> None:
        until_time = datetime.now(UTC) + timedelta(seconds=seconds)
        for line in self._simulation.lines(account.phone_number):
            line.report(ReachoutRestricted(active=True, until_time=until_time))

    async def unlink(self, account: Contact) -> None:
        self._take_down(account, LineState.LOGGED_OUT, ErrorReason.ERROR_REASON_SESSION_LOGGED_OUT)

    async def has_device(self, account: Contact) -> bool:
        return bool(self._simulation.lines(account.phone_number))

    async def crash(self) -> None:
        for line in self._simulation.lines():
            line.end("The simulation crashed.")

    def _take_down(self, account: Contact, state: LineState, reason: ErrorReason.ValueType, seconds: float = 0) -> None:
        for line in self._simulation.lines(account.phone_number):
            line.go_down(state, reason, seconds)

    async def _receipt(self, person: Contact, kind: ReceiptKind, provider_message_id: str, within: float) -> bool:
        wanted = kind, (provider_message_id,)

        def tells(mail: Fact) -> bool:
            return isinstance(mail, ReceiptArrived) and (mail.kind, mail.provider_message_ids) == wanted

        try:
            await self._take(person, tells, within=within)
        except TimeoutError:
            return False
        return True

    async def _take(self, person: Contact, wanted: Callable[[Fact], bool], *, within: float) -> Fact:
        """The first mail of somebody of which this is true, and which was not taken before."""
        mail = self._mail[person.phone_number]
        async with asyncio.timeout(within):
            while not any(map(wanted, mail)):
                mail.append(await self._simulation.inbox(person.phone_number).get())
        first = next(filter(wanted, mail))
        mail.remove(first)
        return first
