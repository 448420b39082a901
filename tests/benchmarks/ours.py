"""Our gateway as a contestant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from grpc import aio

from tests.benchmarks.contestant import Inbound, LabAddress
from tests.stage.gateway import Gateway
from tests.stage.processes import engines_of
from tests.stage.shop import State
from wagate.v1 import (
    content_pb2,
    event_pb2,
    event_service_pb2,
    message_service_pb2,
    pairing_service_pb2,
    session_pb2,
    session_service_pb2,
)


class Wagate:
    """The gateway as it runs in earnest."""

    def __init__(self, folder: Path, lab: LabAddress) -> None:
        self._gateway = Gateway(
            folder,
            {
                "WAGATE_LAB__ADDRESS": lab.host_and_port,
                "WAGATE_LAB__ROOT_KEY_HEX": lab.root_key_hex,
                "WAGATE_LAB__CA_FILE": str(lab.ca_file),
                "WAGATE_LOG__LEVEL": "info",
            },
        )
        self._attempts: dict[str, aio.Call] = {}

    async def start(self) -> None:
        await self._gateway.start()

    async def stop(self) -> None:
        await self._gateway.stop()

    async def pair(self, session: str) -> str:
        wanted = session_pb2.Session(session_id=session)
        await self._gateway.sessions.CreateSession(session_service_pb2.CreateSessionRequest(session=wanted))
        attempt = self._gateway.pairing.PairSession(pairing_service_pb2.PairSessionRequest(session_id=session))
        self._attempts[session] = attempt
        while isinstance(frame := await attempt.read(), pairing_service_pb2.PairSessionResponse):
            if frame.HasField("code"):
                return frame.code.text
        raise RuntimeError("the attempt ended before there was a code")

    async def connected(self, *sessions: str) -> None:
        await self._all_reach(State.STATE_CONNECTED, sessions)
        for session in sessions:
            if attempt := self._attempts.pop(session, None):
                attempt.cancel()

    async def _all_reach(self, state: State.ValueType, sessions: Sequence[str]) -> None:
        """See each session in a state, or hear of it, from before the look on."""
        kinds = event_service_pb2.EventFilter(kinds=["session.state_changed"])
        feed = self._gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest(filter=kinds))
        await feed.read()
        missing = {session for session in sessions if await self._state(session) != state}
        while missing:
            frame = await feed.read()
            if not isinstance(frame, event_service_pb2.StreamEventsResponse):
                raise TypeError("the feed ended")
            if frame.event.session_state_changed.status.state == state:
                missing.discard(frame.event.session_id)
        feed.cancel()

    async def _state(self, session: str) -> State.ValueType:
        request = session_service_pb2.GetSessionRequest(session_id=session)
        return (await self._gateway.sessions.GetSession(request)).session.status.state

    async def rest(self, *sessions: str) -> None:
        for session in sessions:
            await self._gateway.sessions.StopSession(session_service_pb2.StopSessionRequest(session_id=session))
        await self._all_reach(State.STATE_STOPPED, sessions)

    async def wake(self, *sessions: str) -> None:
        for session in sessions:
            await self._gateway.sessions.StartSession(session_service_pb2.StartSessionRequest(session_id=session))

    async def send(self, session: str, to: str, text: str) -> None:
        content = content_pb2.Content(text=content_pb2.Text(text=text))
        request = message_service_pb2.SendMessageRequest(session_id=session, to=to, content=content)
        await self._gateway.messages.SendMessage(request)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[Inbound]]:
        kinds = event_service_pb2.EventFilter(kinds=["message.received"])
        feed = self._gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest(filter=kinds))
        await feed.read()
        try:
            yield _inbound(feed)
        finally:
            feed.cancel()

    def processes(self) -> Mapping[str, Sequence[int]]:
        gateway = self._gateway.process.process_id
        return {"gateway": [gateway], "engine": engines_of(gateway)}


async def _inbound(
    feed: aio.UnaryStreamCall[event_service_pb2.StreamEventsRequest, event_service_pb2.StreamEventsResponse],
) -> AsyncIterator[Inbound]:
    while isinstance(frame := await feed.read(), event_service_pb2.StreamEventsResponse):
        if frame.HasField("event"):
            yield _told(frame.event)


def _told(event: event_pb2.Event) -> Inbound:
    return Inbound(event.session_id, event.message_received.message.content.text.text)
