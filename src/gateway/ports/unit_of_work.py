"""The store: all that is kept, changed in units that happen whole or not at all.

One writer per process groups units into commits. A unit sees the units before it in its group; an error in one undoes
that one alone; an answer leaves after the commit; bells ring after it. A unit is run once as a rule, and once more if
its group could not be committed: so it must change nothing but through the unit of work. A caller that is cancelled
withdraws nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from gateway.domain.addresses import Address
from gateway.domain.events import EventFilter, StoredEvent
from gateway.domain.identities import Identity
from gateway.domain.messages import Direction, Message, Receipt, State
from gateway.domain.requests import RequestKey, RequestRecord
from gateway.domain.sessions import Census, OutboxSize, Session
from gateway.domain.sessions import State as SessionState
from gateway.domain.workers import Roll, Worker
from wagate.v1 import event_pb2

T = TypeVar("T")


class Sessions(Protocol):
    """Sessions, by tenant. What is returned is the unit's own copy; `save` stores its changes."""

    async def get(self, tenant_id: str, session_id: str) -> Session | None:
        """The session of this id that is not deleted."""

    async def get_by_uid(self, session_uid: str) -> Session | None:
        """The session of this uid, deleted or not."""

    async def page(
        self, tenant_id: str, *, after: str, limit: int, states: Sequence[SessionState.ValueType] = ()
    ) -> list[Session]:
        """Sessions that are not deleted, in the order of session_id, after this one."""

    async def outbox(self, session_uid: str) -> OutboxSize:
        """What waits to be sent."""

    async def with_ended_restrictions(self, now: datetime, limit: int) -> list[Session]:
        """Sessions of any tenant, not deleted, that hold a restriction which is over by itself."""

    async def in_states(self, states: Sequence[SessionState.ValueType], limit: int) -> list[Session]:
        """Sessions of any tenant, not deleted, that are in one of these states."""

    async def deleted_among(self, session_uids: Sequence[str]) -> list[str]:
        """Those of the uids whose sessions were deleted."""

    async def providers(self) -> list[str]:
        """The providers of all sessions that are not deleted, each once."""

    async def census(self) -> Census:
        """All sessions of all tenants, counted."""

    async def add(self, session: Session) -> None:
        """Store a new session."""

    async def save(self, session: Session) -> None:
        """Store a session's changes."""


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages a listing shows; empty means all."""

    session: Session | None = None
    chat_id: str = ""
    direction: Direction.ValueType = Direction.DIRECTION_UNSPECIFIED
    states: tuple[State.ValueType, ...] = ()


class Messages(Protocol):
    """Messages, by tenant or session incarnation."""

    async def get(self, tenant_id: str, message_id: str) -> Message | None:
        """The message of this id."""

    async def find_inbound(
        self, session_uid: str, chat_id: str, sender_id: str, provider_message_id: str, edit: str
    ) -> Message | None:
        """The message with this natural key, in canonical identities, whatever its direction."""

    async def find_sent(self, session_uid: str, provider_message_ids: Sequence[str]) -> list[Message]:
        """Outbound messages with these ids of the provider."""

    async def find_in_chat(self, session_uid: str, chat_id: str, provider_message_id: str) -> Message | None:
        """Any message of a chat with this id of the provider; the oldest if a stranger repeated one."""

    async def page(
        self, tenant_id: str, which: MessageFilter, *, before_ordinal: int | None, limit: int
    ) -> list[Message]:
        """Messages, the newest ordinal first, below this ordinal."""

    async def chat_heads(self, session_uid: str, now: datetime) -> list[Message]:
        """The outbox's front: of each chat the first unsent message, by due_time and then ordinal; in that order.

        A queued message whose next_attempt_time is still to come is passed over: the queue behind it goes on.
        """

    async def chat_front(self, session_uid: str, chat_id: str, now: datetime) -> Message | None:
        """The outbox's front in one chat."""

    async def known_chats(self, session: Session, chat_ids: Iterable[str]) -> set[str]:
        """Those of the chats in which the session has sent or received a message."""

    async def unsent(self, session_uid: str, *, after: Message | None = None, limit: int) -> list[Message]:
        """The outbox behind a message of it: chat by chat, each by due_time and then ordinal."""

    async def overdue(self, now: datetime, limit: int) -> list[Message]:
        """Queued and unconfirmed messages of any session whose give_up_time has passed."""

    async def add(self, message: Message) -> None:
        """Store a new message; its ordinal is the store's."""

    async def save(self, message: Message) -> None:
        """Store a message's changes."""

    async def move_chat(self, tenant_id: str, from_id: str, to_id: str) -> None:
        """Give the messages, as chat and as sender, and receipts of one identity to another."""


class Receipts(Protocol):
    """How far messages got with each person."""

    async def get(self, message_id: str, participant_id: str) -> Receipt | None:
        """The receipt of this person."""

    async def page(self, message_id: str, *, after_ordinal: int, limit: int) -> list[Receipt]:
        """Receipts in the order in which they were first heard of."""

    async def save(self, receipt: Receipt) -> None:
        """Store a receipt, new or changed."""


class Identities(Protocol):
    """People and places, by tenant."""

    async def find(self, tenant_id: str, addresses: Iterable[Address]) -> dict[Address, Identity]:
        """Those of the addresses that name somebody known; aliases are followed."""

    async def get(self, tenant_id: str, identity_id: str) -> Identity | None:
        """The identity of this id; aliases are followed."""

    async def add(self, tenant_id: str, identity: Identity) -> None:
        """Store a new identity."""

    async def save(self, tenant_id: str, identity: Identity) -> None:
        """Store an identity's changes."""

    async def absorb(self, tenant_id: str, keep_id: str, absorbed_id: str) -> None:
        """Make one id, and all its aliases, aliases of another, and forget the identity of its own."""


class Events(Protocol):
    """The log. An event's sequence and position are given at the end of the unit."""

    async def tell(self, tenant_id: str, event: event_pb2.Event) -> None:
        """Write an event (see `gateway.domain.events.draft`). Its session's row counts it, or else the tenant's."""

    async def after(
        self, tenant_id: str | None, position: int, *, limit: int, which: EventFilter | None = None
    ) -> list[StoredEvent]:
        """Events of a tenant (None: of all) behind a position, in the order of the log."""

    async def position_before(self, tenant_id: str, moment: datetime) -> int:
        """The position just before the first event recorded at or after a moment."""

    async def newest(self) -> int:
        """The position of the newest event of any tenant; 0 if there is none."""

    async def ends(self, tenant_id: str) -> LogEnds:
        """Where the tenant's log begins and ends."""


@dataclass(frozen=True, slots=True)
class LogEnds:
    """Every event behind `oldest` is still kept, and perhaps none before it; `newest` is the position of the newest
    one, or `oldest` if none is left. `oldest_time` and `newest_time` are when they were recorded, if there are any.
    """

    oldest: int
    newest: int
    oldest_time: datetime | None = None
    newest_time: datetime | None = None


class Requests(Protocol):
    """What was done under request ids."""

    async def find(self, key: RequestKey) -> RequestRecord | None:
        """What was done under this id."""

    async def add(self, record: RequestRecord) -> None:
        """Remember what was done."""


class Fences(Protocol):
    """Who may write for a session."""

    async def check(self, session_uid: str, fence: int) -> None:
        """Raise LeaseLost unless this fence holds the session's lease."""

    async def is_held(self, session_uid: str) -> bool:
        """Whether anybody holds the session's lease."""

    async def holder(self, session_uid: str) -> int:
        """The fence under which the session's lease is held, or 0."""


class Workers(Protocol):
    """Processes that own sessions, those included that gave no sign of life for up to an hour."""

    async def get(self, worker_id: str) -> Worker | None:
        """The worker of this id."""

    async def page(self, *, after: str, limit: int) -> list[Worker]:
        """Workers in the order of worker_id, after this one."""

    async def roll(self) -> Roll:
        """Who is alive, and how many sessions there are for them."""

    async def unattended(self, limit: int) -> list[str]:
        """The uids of sessions of which it says that a line is open, and that nobody owns."""

    async def want_drain(self, worker_id: str) -> None:
        """Let a worker know that it should give its sessions away."""


class Past(Protocol):
    """What is so old that it need not be kept. Each call removes some of it, the oldest first, and tells how many went:
    fewer than `limit` if that was all.
    """

    async def forget_events(self, before: datetime, limit: int) -> int:
        """Remove events of all tenants recorded before a moment. `Events.ends` tells where the logs begin then. A store
        that keeps the log in parts removes whole ones, once all of it is from before; see `Store.tidy`.
        """

    async def forget_messages(self, before: datetime, limit: int) -> int:
        """Remove messages accepted or received before a moment, with their receipts, but none that is not at an end."""

    async def forget_requests(self, before: datetime, limit: int) -> int:
        """Remove what was done under request ids before a moment."""


class UnitOfWork(Protocol):
    """One unit."""

    @property
    def now(self) -> datetime:
        """Its moment by the store's clock: it does not go back from one unit to the next, also where several processes
        write, if they say beforehand for which sessions.
        """

    sessions: Sessions
    messages: Messages
    receipts: Receipts
    identities: Identities
    events: Events
    requests: Requests
    fences: Fences
    workers: Workers
    past: Past

    def ring(self, bell: str) -> None:
        """Ring this bell after the commit, once per group."""


@dataclass(frozen=True, slots=True)
class Prefetch:
    """What a unit will surely read, so that a group can read it at once. A hint: all else is found too. `sessions`
    bring their accounts, `owned` are uids of sessions whose lease is checked, and `messages` are ids.
    """

    sessions: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[str, Address], ...] = ()
    requests: tuple[RequestKey, ...] = field(default=())
    owned: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


NOTHING = Prefetch()


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether a store takes what is written, and a sentence if not."""

    serving: bool
    message: str = ""


class Store(Protocol):
    """All that is kept.

    Both calls raise StoreUnavailable if the database does not take or answer (StoreFull if that is for want of room);
    then nothing was changed.
    """

    async def write(self, work: Callable[[UnitOfWork], Awaitable[T]], prefetch: Prefetch = NOTHING) -> T:
        """Run a unit, and answer after its commit."""

    async def read(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run a unit that only reads, beside the writer, on one consistent snapshot."""

    async def tidy(self) -> None:
        """Make room ahead, and give back that of what was forgotten, where the log is kept in parts. What would make
        anybody wait is left to the next time.
        """

    def health(self) -> StoreHealth:
        """How it fares: it takes nothing if a write failed within the last 5 s."""
