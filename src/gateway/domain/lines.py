"""Lines: what a provider tells of a session's connection, in words that belong to no provider.

A chat or a person is a `Party`: a person by its names, a place by its JID.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from gateway.domain.identities import Identity, Kind, Names
from gateway.domain.sessions import LinkedDevice
from wagate.v1 import content_pb2
from wagate.v1 import error_reason_pb2 as reasons


@dataclass(frozen=True, slots=True)
class Party:
    """A person, by `names`, or a place, by `place_jid`; never both."""

    names: Names = field(default_factory=Names)
    place_jid: str = ""

    @classmethod
    def of(cls, identity: Identity) -> "Party":
        """Whom or what an identity stands for: for places the id is the JID."""
        if identity.kind == Kind.KIND_PERSON:
            return cls(names=identity.names())
        return cls(place_jid=identity.identity_id)

    def jid(self) -> str:
        """The place's JID, or the person's strongest."""
        return self.place_jid or self.names.jid()


class LineState(Enum):
    """Where a line is."""

    OPENING = "opening"
    UNLINKED = "unlinked"
    CONNECTED = "connected"
    DEGRADED = "degraded"
    RECONNECTING = "reconnecting"
    LOGGED_OUT = "logged out"
    BLOCKED = "blocked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The line changed. `device` and `push_name` are set when it came up."""

    state: LineState
    failure: reasons.Failure | None = None
    next_attempt_time: datetime | None = None
    banned_until_time: datetime | None = None
    device: LinkedDevice | None = None
    push_name: str = ""


@dataclass(frozen=True, slots=True)
class CodeShown:
    """A pairing attempt shows a code."""

    attempt_id: str
    text: str
    expire_time: datetime
    codes_left: int


@dataclass(frozen=True, slots=True)
class PasskeyWanted:
    """A pairing attempt waits for a passkey, or for two codes to be compared."""

    attempt_id: str
    public_key_options_json: str
    confirmation_code: str


@dataclass(frozen=True, slots=True)
class DeviceLinked:
    """A pairing attempt succeeded; WhatsApp hears of it once this is settled."""

    attempt_id: str
    device: LinkedDevice
    push_name: str = ""


@dataclass(frozen=True, slots=True)
class PairingFailed:
    """A pairing attempt ended without a link."""

    attempt_id: str
    failure: reasons.Failure


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands and who said it. `edit` tells a message from what is done to it."""

    provider_message_id: str
    chat: Party
    sender: Party
    from_me: bool
    send_time: datetime
    offline: bool = False
    edit: str = ""


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A message in clear. `content.context` is empty: whom it quotes and mentions stands beside it."""

    place: Place
    content: content_pb2.Content
    quoted_provider_message_id: str = ""
    quoted_author: Names | None = None
    quoted_preview: str = ""
    mentions: tuple[Names, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageUndecryptable:
    """A message that cannot be read yet."""

    place: Place
    requested_again: bool


class ReceiptKind(Enum):
    """How far messages got."""

    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    OWN_DEVICE = "own device"
    READ_BY_SELF = "read by self"


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """Someone received, read or played messages."""

    chat: Party
    sender: Party
    provider_message_ids: tuple[str, ...]
    kind: ReceiptKind
    receipt_time: datetime


@dataclass(frozen=True, slots=True)
class NamesLearned:
    """Names that belong to one person."""

    names: Names


@dataclass(frozen=True, slots=True)
class OfflineSync:
    """What had waited at WhatsApp is being told (`completed` false) or has been told."""

    completed: bool
    item_count: int = 0


@dataclass(frozen=True, slots=True)
class ReachoutRestricted:
    """WhatsApp forbids the account to write to people not written to before, or no longer does. `until_time` is None if
    it did not say when that ends.
    """

    active: bool
    until_time: datetime | None = None


Fact = (
    LineChanged
    | CodeShown
    | PasskeyWanted
    | DeviceLinked
    | PairingFailed
    | MessageArrived
    | MessageUndecryptable
    | ReceiptArrived
    | NamesLearned
    | OfflineSync
    | ReachoutRestricted
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that is answered, as WhatsApp wants it."""

    provider_message_id: str
    author: Names
    content: content_pb2.Content


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt at sending. `content.context` is empty, as is that of what is quoted: whom the message answers and
    mentions stands beside it. `mentions` are in the order of the lone `@` signs of the text.
    """

    provider_message_id: str
    to: Names
    content: content_pb2.Content
    quoted: Quoted | None = None
    mentions: tuple[Names, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """WhatsApp has it."""

    send_time: datetime
    to: Names


@dataclass(frozen=True, slots=True)
class Refused:
    """WhatsApp refused it, with this number; `not-on-whatsapp` for a number without an account."""

    provider_code: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It surely did not leave."""

    message: str


@dataclass(frozen=True, slots=True)
class Unsayable:
    """It surely did not leave, and never will: the provider cannot make a message of it, which is a fault of ours."""

    message: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """It may have left."""

    message: str


SendOutcome = Sent | Refused | NotSent | Unsayable | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class CheckedContact:
    """Whether a number has an account, and whose it is."""

    requested: str
    on_whatsapp: bool
    names: Names
