"""A provider that does as a test says: lines tell what the test tells, and sends end as the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from gateway.domain.identities import Names
from gateway.domain.lines import (
    CheckedContact,
    Fact,
    LineChanged,
    LineState,
    OfflineSync,
    Outgoing,
    Party,
    SendOutcome,
    Sent,
)
from gateway.domain.sessions import LinkedDevice
from gateway.ports.held_line import HeldLine, Kept
from gateway.ports.provider import ChallengeUnknown, LineDown, LineRefused, Opening, ProviderHealth, Providers
from tests.stage.waiting import SECONDS, eventually
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pairing

Answer = Callable[[Outgoing], Awaitable[SendOutcome]]

DEVICE = LinkedDevice("4915100000001:7@s.whatsapp.net", "1001@lid", "+4915100000001")
CONNECTED = LineChanged(LineState.CONNECTED, device=DEVICE, push_name="Shop")


async def at_once(message: Outgoing) -> SendOutcome:
    """WhatsApp takes everything."""
    return Sent(datetime.now(UTC), message.to)


class ScriptedLine(HeldLine):
    """A line that is up once it says so, and down if it says so, whatever it is asked to send."""

    def __init__(self, provider: ScriptedProvider, opening: Opening) -> None:
        super().__init__(opening, Kept(opening.device))
        self.renewed: list[timedelta] = []
        self.read: list[tuple[str, str, tuple[str, ...]]] = []
        self.attempts: list[tuple[str, str]] = []
        self.answers: list[pairing.AnswerPairingChallengeRequest] = []
        self.canceled = 0
        self.logged_out = False
        self._provider = provider

    @property
    def is_telling(self) -> bool:
        """Whether something was reported that nobody has read yet."""
        return not self._ahead.empty()

    @property
    def closed(self) -> bool:
        """Whether it was closed, or hung up."""
        return bool(self.ended)

    async def tell(self, *facts: Fact) -> bool:
        """Tell something, wait for it to be taken, and say whether all of it was stored."""
        stored = [await asyncio.wait_for(self.begin_to_tell(fact), SECONDS) for fact in facts]
        return all(stored)

    def begin_to_tell(self, fact: Fact) -> asyncio.Future[bool]:
        """Tell something, and do not wait for it to be taken; whether it was stored."""
        stored = asyncio.get_running_loop().create_future()
        self.report(fact, stored.set_result)
        return stored

    async def come_up(self) -> None:
        """Connect, and take in what waited at WhatsApp: nothing."""
        await self.tell(CONNECTED, OfflineSync(completed=False), OfflineSync(completed=True))

    def hang_up(self) -> None:
        """Be gone for good."""
        self.end("the test hung up")

    async def renew(self, remaining: timedelta) -> None:
        await super().renew(remaining)
        self.renewed.append(remaining)

    async def send(self, message: Outgoing, *, timeout: float) -> SendOutcome:
        self.check_open()
        self._provider.handed.append(message)
        async with asyncio.timeout(timeout):
            return await self._provider.answer(message)

    async def mark_read(
        self, chat: Party, sender: Names, provider_message_ids: Sequence[str], moment: datetime, *, timeout: float
    ) -> None:
        self.check_open()
        assert moment <= datetime.now(UTC)
        async with asyncio.timeout(timeout):
            await self._provider.patience()
        self.read.append((chat.jid(), sender.jid(), tuple(provider_message_ids)))

    async def check(self, phone_numbers: Sequence[str], *, timeout: float) -> list[CheckedContact]:
        self.check_open()
        self._provider.checks += 1
        async with asyncio.timeout(timeout):
            await self._provider.patience()
        accounts = self._provider.accounts
        return [CheckedContact(number, number in accounts, accounts.get(number, Names())) for number in phone_numbers]

    async def start_pairing(self, attempt_id: str, phone_number: str) -> None:
        self.check_open()
        if self._provider.no_pairing:
            raise LineDown("the engine is being brought up")
        self.attempts.append((attempt_id, phone_number))

    async def answer_challenge(self, answer: pairing.AnswerPairingChallengeRequest) -> None:
        self.check_open()
        if self.answers:
            raise ChallengeUnknown
        self.answers.append(answer)

    async def cancel_pairing(self) -> None:
        self.check_open()
        self.canceled += 1

    async def logout(self) -> None:
        self.check_open()
        self.logged_out = True
        self.device = None


async def _no_wait() -> None:
    """Nobody waits."""


class ScriptedProvider:
    """Opens scripted lines, and keeps what was handed to them."""

    capabilities: tuple[str, ...] = ("send.text",)

    def __init__(self, name: str = "web") -> None:
        self.name = name
        self.answer: Answer = at_once
        self.patience: Callable[[], Awaitable[None]] = _no_wait
        self.accounts: dict[str, Names] = {}
        self.checks = 0
        self.is_down = False
        self.refusal: reasons.Failure | None = None
        self.no_pairing = False
        self.refused_openings = 0
        self.lines: list[ScriptedLine] = []
        self.handed: list[Outgoing] = []
        self.kept: list[str] = []
        self._numbers = count(1)

    def new_message_id(self) -> str:
        return f"3EB0{next(self._numbers):08}"

    async def open(self, opening: Opening) -> ScriptedLine:
        if self.is_down:
            self.refused_openings += 1
            raise LineDown("the engine is being brought up")
        if self.refusal is not None:
            self.refused_openings += 1
            raise LineRefused(self.refusal)
        line = ScriptedLine(self, opening)
        self.lines.append(line)
        return line

    def kept_sessions(self) -> list[str]:
        return list(self.kept)

    def pace(self, reconnects: float) -> None:
        pass

    def erase(self, session_uid: str) -> bool:
        self.kept.remove(session_uid)
        self.refusal = None
        return True

    def health(self) -> ProviderHealth:
        return ProviderHealth(serving=not self.is_down)

    async def line(self, number: int = 1) -> ScriptedLine:
        """The line of this number, once it is open."""
        await eventually(lambda: len(self.lines) >= number)
        return self.lines[number - 1]

    def texts(self) -> list[str]:
        """What was handed over, in order."""
        return [message.content.text.text for message in self.handed]


def alone(provider: ScriptedProvider) -> Providers:
    """This provider and no other."""
    return Providers({provider.name: provider}, provider.name)
