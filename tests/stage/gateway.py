"""A gateway of the tests' own: the real server, as a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grpc import aio
from grpc_health.v1 import health_pb2

from tests.stage.children import Child, child
from tests.stage.keys import showing
from tests.stage.programs import built, installed
from tests.stage.watching import Watch, watching
from wagate.v1 import event_pb2, event_service_pb2
from wagate.v1.contact_service_pb2_grpc import ContactServiceStub
from wagate.v1.event_service_pb2_grpc import EventServiceStub
from wagate.v1.message_service_pb2_grpc import MessageServiceStub
from wagate.v1.pairing_service_pb2_grpc import PairingServiceStub
from wagate.v1.session_service_pb2_grpc import SessionServiceStub
from wagate.v1.system_service_pb2_grpc import SystemServiceStub

if TYPE_CHECKING:
    from wagate.v1.contact_service_pb2_grpc import ContactServiceAsyncStub
    from wagate.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from wagate.v1.message_service_pb2_grpc import MessageServiceAsyncStub
    from wagate.v1.pairing_service_pb2_grpc import PairingServiceAsyncStub
    from wagate.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from wagate.v1.system_service_pb2_grpc import SystemServiceAsyncStub

_UNTIL_SERVING: Final = 90.0


class Gateway:
    """A server that can be started, stopped and killed any number of times; all it knows stays in `folder`. `entering`
    begins its command, where it is to run elsewhere than we do, and `command` tells its role.
    """

    sessions: SessionServiceAsyncStub
    pairing: PairingServiceAsyncStub
    messages: MessageServiceAsyncStub
    contacts: ContactServiceAsyncStub
    feeds: EventServiceAsyncStub
    system: SystemServiceAsyncStub

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        entering: Sequence[str] = (),
        *,
        command: Sequence[str] = ("serve",),
    ) -> None:
        self.folder = folder
        self._command: tuple[str | Path, ...] = (*entering, installed("wagate"), *command)
        self.database = folder / "data" / "wagate.db"
        self.address = environment.get("WAGATE_GRPC__LISTEN", f"unix:{folder}/gateway.sock")
        self._environment = {
            "WAGATE_GRPC__LISTEN": self.address,
            "WAGATE_METRICS__LISTEN": "",
            "WAGATE_DATA__FOLDER": str(folder / "data"),
            "WAGATE_ENGINE__BINARY": str(built("wagate-engine")),
            "WAGATE_LOG__LEVEL": "debug",
            **environment,
        }
        self._running = AsyncExitStack()
        self.process: Child

    async def start(self) -> None:
        """Start the server, and wait until it serves."""
        running = AsyncExitStack()
        started = child(*self._command, log=self.folder / "gateway.log", environment=self._environment)
        self.process = await running.enter_async_context(started)
        try:
            channel = await running.enter_async_context(self._channel())
            await self._serving(channel)
        except BaseException:
            await running.aclose()
            raise
        self._connect(channel)
        self._running = running

    async def stop(self) -> int:
        """Stop the server as an operator does; its exit status."""
        status = await self.process.stop()
        await self._running.aclose()
        return status

    async def kill(self) -> None:
        """End the server without a chance to do anything."""
        await self.process.kill()
        await self._running.aclose()

    async def restart(self) -> None:
        """Stop it and start it again."""
        await self.stop()
        await self.start()

    @asynccontextmanager
    async def events(self, after: str = "", **filters: Any) -> AsyncIterator[Watch[event_pb2.Event]]:
        """The events after a cursor, or from now on; `filters` are fields of `EventFilter`."""
        request = event_service_pb2.StreamEventsRequest(filter=event_service_pb2.EventFilter(**filters))
        if after:
            request.after_cursor = after
        stream = self.feeds.StreamEvents(request)
        first = await stream.read()
        assert isinstance(first, event_service_pb2.StreamEventsResponse)
        assert first.HasField("opened")
        async with watching(stream, _event) as events:
            yield events

    def _channel(self) -> aio.Channel:
        shown = showing(self._environment.get("WAGATE_ACCESS__KEY", ""))
        return aio.insecure_channel(self.address, options=_IMPATIENT, interceptors=shown)

    def _connect(self, channel: aio.Channel) -> None:
        self.sessions = SessionServiceStub(channel)
        self.pairing = PairingServiceStub(channel)
        self.messages = MessageServiceStub(channel)
        self.contacts = ContactServiceStub(channel)
        self.feeds = EventServiceStub(channel)
        self.system = SystemServiceStub(channel)

    async def _serving(self, channel: aio.Channel) -> None:
        """Wait until it says that it serves, or fail with its last words if it ends instead."""
        ended = asyncio.create_task(self.process.ended())
        serving = asyncio.create_task(_until_serving(channel))
        await asyncio.wait({ended, serving}, timeout=_UNTIL_SERVING, return_when=asyncio.FIRST_COMPLETED)
        answered = serving.done() and not ended.done()
        for task in (ended, serving):
            task.cancel()
        await asyncio.wait({ended, serving})
        assert answered, f"the gateway does not serve:\n{self.process.last_words()}"


_IMPATIENT: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.use_local_subchannel_pool", 1),
)


def _event(frame: event_service_pb2.StreamEventsResponse) -> event_pb2.Event | None:
    return frame.event if frame.HasField("event") else None


async def _until_serving(channel: aio.Channel) -> None:
    """Ask for the server's health until it serves. A call that fails is made again by the channel's own patience."""
    watch = channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    stream = watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
    try:
        async for answer in stream:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
    finally:
        stream.cancel()


@asynccontextmanager
async def gateway_process(
    folder: Path, environment: Mapping[str, str], entering: Sequence[str] = ()
) -> AsyncIterator[Gateway]:
    """Start a gateway that keeps everything in this folder; it is stopped at the end, and must end well."""
    folder.mkdir(parents=True, exist_ok=bool(entering))
    gateway = Gateway(folder, environment, entering)
    await gateway.start()
    try:
        yield gateway
    finally:
        if gateway.process.runs:
            status = await gateway.stop()
            assert status == 0, f"it did not end well:\n{gateway.process.last_words()}"
