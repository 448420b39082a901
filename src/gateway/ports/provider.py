"""The provider: how WhatsApp is spoken, without a word of how."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeAlias, TypeVar

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import CheckedContact, Fact, Outgoing, Party, SendOutcome
from gateway.domain.sessions import LinkedDevice
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pairing


class LineDown(Exception):
    """The provider cannot do this now: there is no line, or the engine behind it is being brought up again."""


class LineGone(Exception):
    """The line is closed for good: the engine behind it is gone, or another took the session over. Open it anew."""


class LineRefused(Exception):
    """No line can be opened, and trying again is of no use until a person did what `failure` says."""

    def __init__(self, failure: reasons.Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class ChallengeUnknown(Exception):
    """The pairing attempt does not wait for that answer."""


class Incoming(Protocol):
    """One thing that a line tells."""

    fact: Fact

    async def settle(self) -> None:
        """Say that it is stored: only now WhatsApp is told, where WhatsApp can be told."""

    async def refuse(self) -> None:
        """Say that it could not be stored: WhatsApp will tell it again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a provider needs to open a line. `remaining` is how long the lease still lasts; `device` is what is
    linked as far as the gateway knows.
    """

    session_uid: str
    lease: Lease
    remaining: timedelta
    device: LinkedDevice | None
    expected_phone_number: str
    push_name: str


class Line(Protocol):
    """A connection for one session, open until closed. Every call but `incoming` and `close` raises LineGone once the
    line is gone; those that ask WhatsApp raise LineDown while there is no connection, and TimeoutError when `timeout`
    seconds have passed. `device` is what was linked when it was opened; what is linked later is told.
    """

    device: LinkedDevice | None

    def incoming(self) -> AsyncGenerator[Incoming]:
        """What happens, in order. Some may be told before those before them are settled, so that many are stored
        together: all are settled or refused in the order in which they were told. After a refusal, whatever was told by
        then is to be refused too: WhatsApp tells it all again. Raises LineGone at its end.
        """

    async def renew(self, remaining: timedelta) -> None:
        """Say how long the lease still lasts. Raises LineGone if another owner was seen."""

    async def send(self, message: Outgoing, *, timeout: float) -> SendOutcome:
        """Hand one message to WhatsApp and wait for its answer. Never raises for what WhatsApp says; raises LineGone or
        LineDown only if the message surely did not leave, and could not through this line now. What failed before it
        left for a reason of its own is NotSent.
        """

    async def mark_read(
        self,
        chat: Party,
        sender: Names,
        provider_message_ids: Sequence[str],
        moment: datetime,
        *,
        timeout: float,
    ) -> None:
        """Tell a sender that messages were read, which stand in one chat: theirs, or a group."""

    async def check(self, phone_numbers: Sequence[str], *, timeout: float) -> list[CheckedContact]:
        """Ask which numbers have an account."""

    async def start_pairing(self, attempt_id: str, phone_number: str) -> None:
        """Begin an attempt, by code for a number, or by QR if that is empty; its steps are facts."""

    async def answer_challenge(self, answer: pairing.AnswerPairingChallengeRequest) -> None:
        """Hand on an answer. Raises ChallengeUnknown if the attempt has moved on."""

    async def cancel_pairing(self) -> None:
        """End the attempt under way, if there is one."""

    async def logout(self) -> None:
        """Unlink the account, or at least forget its keys."""

    async def close(self) -> None:
        """Drop the connection and keep the link. Never raises."""


class Dialect(Protocol):
    """What can be said by one way of speaking to WhatsApp: all that accepting needs to know, and no line."""

    name: str
    capabilities: tuple[str, ...]

    def new_message_id(self) -> str:
        """Choose the provider's id of a message before it is sent; empty if the provider chooses."""

    def health(self) -> ProviderHealth:
        """How it fares, as far as this process knows."""


class Provider(Dialect, Protocol):
    """One way of speaking to WhatsApp, spoken by this process."""

    async def open(self, opening: Opening) -> Line:
        """Open a line; facts tell how it goes. Raises LineDown if the engine cannot do it now, and LineRefused if it
        never will by itself.
        """

    def kept_sessions(self) -> list[str]:
        """The uids of all sessions whose keys this provider keeps, linked or not."""

    def pace(self, reconnects: float) -> None:
        """Let lines that are lost be made again so many times in a second at most, all together, from soon on."""

    def erase(self, session_uid: str) -> bool:
        """Forget the keys of a session that is gone for good; tell whether they are, which they are not while a line
        still uses them. What is forgotten already is no error.
        """


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """Whether a provider works, a sentence if not, and whether it speaks to a lab instead of WhatsApp."""

    serving: bool
    message: str = ""
    lab: bool = False


D_co = TypeVar("D_co", bound=Dialect, covariant=True)


@dataclass(frozen=True)
class Enabled(Generic[D_co]):
    """The providers of this installation, by name, and the one that is taken where none is named."""

    by_name: Mapping[str, D_co]
    default: str

    def of(self, name: str) -> D_co:
        """The provider of a session that exists."""
        return self.by_name[name]


Dialects: TypeAlias = Enabled[Dialect]
"""What can be said, for those who open no line."""
Providers: TypeAlias = Enabled[Provider]
"""The same, for those who do."""
