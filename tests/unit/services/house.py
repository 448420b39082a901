"""All services on a real store, a real queue and a scripted provider, in one process as `bootstrap` joins them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.sql.leases import SqlLeases
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import SqlStore, open_store
from gateway.domain.access import DEFAULT_TENANT, EVERY_SCOPE, Call, Caller
from gateway.domain.addresses import parse_address
from gateway.domain.events import StoredEvent
from gateway.domain.identities import Identity
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.messages import Message
from gateway.domain.sessions import LinkedDevice, Session
from gateway.observability.metrics import PrometheusMeter
from gateway.services.acceptance import Acceptance
from gateway.services.asking import LiveRequests, Owners
from gateway.services.contacts import Contacts
from gateway.services.faults import Faults
from gateway.services.feeds import Feeds
from gateway.services.inbox import Inbox
from gateway.services.line_questions import LineQuestions
from gateway.services.lines import Lines
from gateway.services.messages import Messages
from gateway.services.outbox import Outbox
from gateway.services.pages import Pages
from gateway.services.pairing import Pairing
from gateway.services.pairing_log import PairingLog
from gateway.services.reading import Reading
from gateway.services.receipts import Receipts
from gateway.services.restrictions import Restrictions
from gateway.services.sessions import Sessions
from gateway.services.stats import Stats
from gateway.services.tail import Tail
from gateway.services.views import Views
from gateway.services.watching import MessageWatch
from gateway.services.workers import Workers
from tests.unit.workers.scripted_provider import ScriptedProvider, alone
from wagate.v1 import content_pb2, event_pb2, message_pb2
from wagate.v1 import message_service_pb2 as message_pb
from wagate.v1 import session_service_pb2 as session_pb

LEASE_FOR = timedelta(days=365)


@dataclass
class ShiftedClock:
    """The machine's clock, or a moment at which it stands still, and as much later as a test says."""

    ahead: timedelta = timedelta(0)
    still: datetime | None = None

    def now(self) -> datetime:
        return (self.still or datetime.now(UTC)) + self.ahead


@dataclass
class House:
    """What a test of services and workers meets."""

    store: SqlStore
    queue: EmbeddedQueue
    clock: ShiftedClock
    provider: ScriptedProvider
    stopping: asyncio.Event
    meter: PrometheusMeter = field(default_factory=PrometheusMeter)
    _devices: int = 0

    def __post_init__(self) -> None:
        providers = alone(self.provider)
        views, pages = Views(providers), Pages(self.store.signer)
        owners = Owners(self.store, self.queue, look_every=0.05)
        self.leases = SqlLeases(self.store)
        self.tail = Tail(self.store, self.queue, self.stopping)
        self.live = LiveRequests(self.store)
        self.watch = MessageWatch(self.store, self.tail, views, self.stopping)
        acceptance = Acceptance(providers, timedelta(hours=24))
        self.sessions = Sessions(self.store, providers, views, pages)
        self.messages = Messages(self.store, acceptance, views, pages, self.watch, self.meter)
        self.contacts = Contacts(self.store, owners, self.live)
        self.reading = Reading(self.store, owners, self.live)
        self.pairing = Pairing(self.store, owners, views, self.stopping)
        self.feeds = Feeds(
            self.store,
            self.tail,
            self.store.signer,
            self.meter,
            self.stopping,
            checkpoint_interval=timedelta(seconds=15),
        )
        self.lines = Lines(self.store, views)
        self.inbox = Inbox(self.store)
        self.receipts = Receipts(self.store)
        self.restrictions = Restrictions(self.store, views)
        self.outbox = Outbox(self.store, views)
        self.questions = LineQuestions(self.store)
        self.pairing_log = PairingLog(self.store)
        self.faults = Faults(self.store, views)
        self.workers = Workers(self.store, pages)
        self.stats = Stats(self.store, self.store.signer, self.queue.health)

    def call(
        self, *, seconds: float = 30.0, scopes: Sequence[str] = (EVERY_SCOPE,), tenant: str = DEFAULT_TENANT
    ) -> Call:
        """A call that begins now."""
        caller = Caller(tenant, frozenset(scopes))
        return Call(caller, "c-1", asyncio.get_running_loop().time() + seconds)

    async def create(self, session_id: str = "sales") -> Session:
        """A session that was never paired."""
        request = session_pb.CreateSessionRequest()
        request.session.session_id = session_id
        await self.sessions.create(self.call(), request)
        return await self.session(session_id)

    async def linked(self, session_id: str = "sales") -> Lease:
        """A session that is linked and connected, and the lease of its owner."""
        session = await self.create(session_id)
        (lease,) = await self.leases.claim("w_test", limit=1, ttl=LEASE_FOR)
        assert lease.session_uid == session.uid
        self._devices += 1
        number = f"491510000{self._devices:04}"
        device = LinkedDevice(f"{number}:7@s.whatsapp.net", f"99{number}@lid", f"+{number}")
        await self.lines.linked(lease, device, "Shop")
        await self.lines.changed(lease, LineChanged(LineState.CONNECTED))
        return lease

    async def session(self, session_id: str = "sales") -> Session:
        """A session as it is stored."""
        session = await self.store.read(lambda uow: uow.sessions.get(DEFAULT_TENANT, session_id))
        assert session is not None
        return session

    async def send(self, text: str = "Good morning", *, to: str = "+4915112345678", session_id: str = "sales") -> str:
        """Accept a message; return its id."""
        response = await self.messages.send(self.call(), a_send(text, to=to, session_id=session_id))
        return response.message.message_id

    async def message(self, message_id: str) -> Message:
        """A message as it is stored."""
        message = await self.store.read(lambda uow: uow.messages.get(DEFAULT_TENANT, message_id))
        assert message is not None
        return message

    async def shown(self, message_id: str, session_id: str = "sales") -> message_pb2.Message:
        """A message as callers see it."""
        request = message_pb.GetMessageRequest(session_id=session_id, message_id=message_id)
        return (await self.messages.get(self.call(), request)).message

    async def all_messages(self, session_id: str = "-") -> list[message_pb2.Message]:
        """All messages, the oldest first."""
        request = message_pb.ListMessagesRequest(session_id=session_id, page_size=500)
        return list(reversed((await self.messages.list(self.call(), request)).messages))

    async def whose(self, address: str) -> Identity | None:
        """Whom an address names."""
        wanted = parse_address(address)
        found = await self.store.read(lambda uow: uow.identities.find(DEFAULT_TENANT, [wanted]))
        return found.get(wanted)

    async def log(self, *kinds: str, after: int = 0) -> list[event_pb2.Event]:
        """The events of some kinds, or all."""
        return [event_of(stored) for stored in await self.stored_log(after=after) if not kinds or stored.kind in kinds]

    async def stored_log(self, *, after: int = 0) -> list[StoredEvent]:
        """The log as it is stored."""
        return list(await self.store.read(lambda uow: uow.events.after(DEFAULT_TENANT, after, limit=100_000)))

    async def newest(self) -> int:
        """The position of the newest event."""
        return await self.store.read(lambda uow: uow.events.newest())

    async def steps(self, message_id: str, *, after: int = 0) -> list[event_pb2.MessageStatusChanged]:
        """What the log tells of one message after its acceptance."""
        told = [event.message_status_changed for event in await self.log("message.status_changed", after=after)]
        return [step for step in told if step.message_id == message_id]

    async def states(self, message_id: str) -> list[str]:
        """The states that the log tells of one message, as single words, each once while it lasts."""
        words = [word(step.state) for step in await self.steps(message_id)]
        return [one for place, one in enumerate(words) if place == 0 or words[place - 1] != one]


def word(state: message_pb2.Message.State.ValueType) -> str:
    """A state of a message as one word."""
    return message_pb2.Message.State.Name(state).removeprefix("STATE_")


def event_of(stored: StoredEvent) -> event_pb2.Event:
    """An event as it was told."""
    return event_pb2.Event.FromString(stored.body)


def text(words: str) -> content_pb2.Content:
    """A content that says something."""
    return content_pb2.Content(text=content_pb2.Text(text=words))


def a_send(
    words: str = "Good morning", *, to: str = "+4915112345678", session_id: str = "sales", request_id: str = ""
) -> message_pb.SendMessageRequest:
    """A request for one message."""
    return message_pb.SendMessageRequest(session_id=session_id, to=to, content=text(words), request_id=request_id)


@asynccontextmanager
async def opened(database: Path) -> AsyncIterator[House]:
    """A house on a migrated database, with its log's tail, which is followed, and its live requests running."""
    queue, clock, stopping = EmbeddedQueue(), ShiftedClock(), asyncio.Event()
    async with open_store(url_of(database), ring=queue.ring, now=clock.now) as store:
        house = House(store, queue, clock, ScriptedProvider(), stopping)
        live_stopping = asyncio.Event()
        reading = asyncio.create_task(house.tail.run())
        living = asyncio.create_task(house.live.run(live_stopping))
        await asyncio.sleep(0)
        try:
            async with house.tail.followed():
                yield house
        finally:
            stopping.set()
            live_stopping.set()
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            await living
