"""A real server on a unix socket, with servicers that do as a test says, and what a client reads of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from gateway.observability import PrometheusMeter
from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import StoreHealth
from gateway.settings import Settings, load
from gateway.transport.exchange import ServicerContext
from gateway.transport.server import GrpcServer
from wagate.v1 import contact_service_pb2 as contacts
from wagate.v1 import event_service_pb2 as events
from wagate.v1 import message_service_pb2 as messages
from wagate.v1.contact_service_pb2_grpc import ContactServiceStub
from wagate.v1.event_service_pb2_grpc import EventServiceStub
from wagate.v1.message_service_pb2_grpc import MessageServiceStub

D = TypeVar("D", bound=Message)

Answer = Callable[[Any], Awaitable[Any]]


async def _empty(_request: Any) -> Any:
    return messages.GetMessageResponse()


class AsTold:
    """Answers GetMessage, and every other unary RPC, as `answer` does; streams what `frames` tells."""

    def __init__(self) -> None:
        self.answer: Answer = _empty
        self.frames: Callable[[], AsyncIterator[Any]] | None = None
        self.requests: list[Message] = []
        self.asked = asyncio.Event()

    async def _unary(self, request: Any, _context: ServicerContext) -> Any:
        self.requests.append(request)
        self.asked.set()
        return await self.answer(request)

    def _stream(self, request: Any, _context: ServicerContext) -> Any:
        self.requests.append(request)
        assert self.frames is not None
        return self.frames()

    SendMessage = GetMessage = ListMessages = CancelMessage = RetryMessage = _unary
    MarkMessagesRead = ListReceipts = CheckContacts = GetIdentity = ResolveIdentities = ListEvents = _unary
    WatchMessage = StreamEvents = _stream


@dataclass
class StoreWithHealth:
    """A store of which nothing is asked but how it fares."""

    fares: StoreHealth = field(default_factory=lambda: StoreHealth(serving=True))

    def health(self) -> StoreHealth:
        return self.fares


@dataclass
class QueueWithHealth:
    """A queue of which nothing is asked but how it fares."""

    fares: QueueHealth = field(default_factory=lambda: QueueHealth(serving=True))

    def health(self) -> QueueHealth:
        return self.fares


@dataclass
class Served:
    """The server, its servicer, and stubs of a client."""

    server: GrpcServer
    told: AsTold
    channel: Any
    meter: PrometheusMeter
    stopping: asyncio.Event
    store: StoreWithHealth
    queue: QueueWithHealth
    messages: Any = field(init=False)
    contacts: Any = field(init=False)
    events: Any = field(init=False)

    def __post_init__(self) -> None:
        self.messages = MessageServiceStub(self.channel)
        self.contacts = ContactServiceStub(self.channel)
        self.events = EventServiceStub(self.channel)

    async def get(self, **call: Any) -> Any:
        """Call GetMessage with a valid request."""
        return await self.messages.GetMessage(A_REQUEST, **call)


A_REQUEST = messages.GetMessageRequest(session_id="a", message_id="m")


def settings(**sections: dict[str, str]) -> Settings:
    """Settings for tests: nothing is read from files."""
    return load(flags={"metrics": {"listen": ""}, **sections})


@asynccontextmanager
async def serving(folder: Path, listen: str = "", **sections: dict[str, str]) -> AsyncIterator[Served]:
    """Serve, with these settings, on a unix socket unless `listen` says where."""
    address = listen or f"unix:{folder}/s.sock"
    told, meter, stopping, store = AsTold(), PrometheusMeter(), asyncio.Event(), StoreWithHealth()
    queue = QueueWithHealth()
    servicers = {
        messages.DESCRIPTOR.services_by_name["MessageService"]: told,
        contacts.DESCRIPTOR.services_by_name["ContactService"]: told,
        events.DESCRIPTOR.services_by_name["EventService"]: told,
    }
    wanted = settings(grpc={"listen": address}, **sections)
    server = GrpcServer(servicers, wanted, meter, stopping, store.health, queue.health)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Served(server, told, channel, meter, stopping, store, queue)
    finally:
        await server.stop()


@dataclass(frozen=True)
class Refusal:
    """An error as a client reads it."""

    code: grpc.StatusCode
    message: str
    status: status_pb2.Status
    correlation_id: str

    def detail(self, kind: type[D]) -> D:
        """The one detail of this kind."""
        found = [detail for detail in self.status.details if detail.TypeName() == kind.DESCRIPTOR.full_name]
        assert len(found) == 1, f"{len(found)} details of {kind.DESCRIPTOR.name}"
        detail = kind()
        found[0].Unpack(detail)
        return detail

    @property
    def reason(self) -> str:
        """The reason of its ErrorInfo."""
        return self.detail(error_details_pb2.ErrorInfo).reason

    @property
    def fields(self) -> dict[str, str]:
        """The paths of its field violations, and the rules that they break."""
        violations = self.detail(error_details_pb2.BadRequest).field_violations
        return {violation.field: violation.reason for violation in violations}


async def refusal(call: Awaitable[Any]) -> Refusal:
    """The error that a call ends with."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        return Refusal(error.code(), error.details() or "", status, str(trailers.get("x-correlation-id", "")))
    raise AssertionError(f"answered {answer}")
