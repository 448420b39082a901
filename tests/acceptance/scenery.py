"""The scenery of the table of bad input: sessions in every state, people, and messages, on a gateway of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio

from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from tests.stage.programs import ROOT
from tests.stage.shop import Shop, State, reached
from wagate.v1 import (
    contact_service_pb2,
    event_service_pb2,
    message_service_pb2,
    pairing_service_pb2,
    session_pb2,
    session_service_pb2,
    system_service_pb2,
)

SERVICES: Final = (session_service_pb2, pairing_service_pb2, message_service_pb2, contact_service_pb2)
SERVICES_WITHOUT_SESSION: Final = (event_service_pb2, system_service_pb2)
RPCS: Final[dict[str, MethodDescriptor]] = {
    method.name: method
    for module in (*SERVICES, *SERVICES_WITHOUT_SESSION)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every RPC of the contract, by its name."""

_NAMED: Final = re.compile(r"\$\{(.+)\}")
_COUNTED: Final = re.compile(r"(\d+) (\w+)")
_MADE: Final[dict[str, Callable[[int], Any]]] = {
    "letters": lambda count: "a" * count,
    "smileys": lambda count: "\N{GRINNING FACE}" * count,
    "numbers": lambda count: [f"+49151{number:07}" for number in range(count)],
    "pairs": lambda count: {f"key {number}": "v" * 256 for number in range(count)},
}


class Scenery:
    """What the table speaks of; `named` holds what is written there as ${…}."""

    def __init__(self, gateway: Gateway, lab: Lab) -> None:
        self.gateway = gateway
        self._lab = lab
        self.named: dict[str, str] = {}

    async def build(self, cursor_of_another_log: str) -> None:
        """Make all that the table speaks of, and wait until nothing moves any more."""
        connected, resting = await self._shop("connected"), await self._shop("resting")
        await self._talk(connected)
        await self._rest(resting)
        async with (logged_out := await self._shop("logged-out")).events("session.state_changed") as events:
            await logged_out.logout()
            await events.until(reached(State.STATE_LOGGED_OUT), within=20)
        await self._unpaired()
        self.named["cursor of another log"] = cursor_of_another_log
        self.named["cursor"] = await self.newest_cursor()
        pages = message_service_pb2.ListMessagesRequest(session_id="connected", page_size=1)
        self.named["page token of messages"] = (await self.gateway.messages.ListMessages(pages)).next_page_token
        sessions = session_service_pb2.ListSessionsRequest(page_size=1)
        self.named["page token of sessions"] = (await self.gateway.sessions.ListSessions(sessions)).next_page_token

    async def newest_cursor(self) -> str:
        """The cursor behind all that has happened."""
        after = self.named.get("cursor", "")
        while True:
            request = event_service_pb2.ListEventsRequest(page_size=500)
            if after:
                request.after_cursor = after
            page = await self.gateway.feeds.ListEvents(request)
            after = page.next_cursor
            if not page.has_more:
                return after

    async def _shop(self, session_id: str) -> Shop:
        await self._create(session_id)
        shop = Shop(self.gateway, self._lab, session_id, await self._lab.account())
        await shop.pair()
        return shop

    async def _create(self, session_id: str) -> None:
        session = session_pb2.Session(session_id=session_id)
        await self.gateway.sessions.CreateSession(session_service_pb2.CreateSessionRequest(session=session))

    async def _talk(self, shop: Shop) -> None:
        """Write to Ada and to Bob, and let Ada answer."""
        ada, bob = await self._lab.person("Ada"), await self._lab.person("Bob")
        self.named |= {"ada": ada.phone_number, "bob": bob.phone_number}
        async with shop.events("message.*") as events:
            for name, person in (("to ada", ada), ("to bob", bob)):
                request_id = "used" if person is ada else ""
                sent = await shop.accept(person.phone_number, "Hello", request_id=request_id)
                self.named[name] = sent.message_id
                await events.until(lambda event: event.message_status_changed.reach.delivered_count == 1)
            await ada.say(shop.phone_number, "Hello shop")
            heard = await events.until(lambda event: event.HasField("message_received"))
            self.named["from ada"] = heard.message_received.message.message_id

    async def _rest(self, shop: Shop) -> None:
        """Let somebody write to a session, stop it, and leave a message waiting."""
        carol = await self._lab.person("Carol")
        async with shop.events("message.received") as events:
            await carol.say(shop.phone_number, "Good night")
            heard = await events.next()
            self.named["from carol"] = heard.message_received.message.message_id
        await shop.stop()
        self.named["waiting"] = (await shop.accept(carol.phone_number, "Good morning")).message_id

    async def _unpaired(self) -> None:
        idle = Shop(self.gateway, self._lab, "idle", await self._lab.account())
        await self._create("idle")
        await idle.stop()
        waiting = Shop(self.gateway, self._lab, "never-paired", await self._lab.account())
        async with self.gateway.events(session_ids=["never-paired"]) as events:
            await self._create("never-paired")
            await events.until(reached(State.STATE_PAIRING))
        assert (await waiting.status()).state == State.STATE_PAIRING

    def request(self, rpc: str, written: Any) -> Message:
        """A request of the table, with all that it names filled in."""
        request: Message = GetMessageClass(RPCS[rpc].input_type)()
        return json_format.ParseDict(self._filled(written), request)

    def _filled(self, written: Any) -> Any:
        match written:
            case dict():
                return {key: self._filled(value) for key, value in written.items()}
            case list():
                return [self._filled(value) for value in written]
            case str() if found := _NAMED.fullmatch(written):
                return self._meant(found[1])
            case _:
                return written

    def _meant(self, name: str) -> Any:
        if counted := _COUNTED.fullmatch(name):
            return _MADE[counted[2]](int(counted[1]))
        return self.named[name]


async def call(channel: aio.Channel, rpc: str, request: Message, *, key: str = "", patience: float = 10) -> Message:
    """Make a call; of a stream, the answer is the first frame. Raises AioRpcError."""
    method = RPCS[rpc]
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer = GetMessageClass(method.output_type).FromString
    metadata = (("authorization", key),) if key else ()
    if not method.server_streaming:
        unary = channel.unary_unary(path, type(request).SerializeToString, answer)
        answered: Message = await unary(request, timeout=patience, metadata=metadata)
        return answered
    streaming = channel.unary_stream(path, type(request).SerializeToString, answer)
    stream = streaming(request, timeout=patience, metadata=metadata)
    try:
        async for frame in stream:
            return frame
        raise AssertionError("the stream ended without a frame")
    finally:
        stream.cancel()


def table() -> list[dict[str, Any]]:
    """The table of bad input."""
    written = yaml.safe_load(Path(ROOT, "tests", "cases", "bad_input.yaml").read_text(encoding="utf-8"))
    assert isinstance(written, list)
    return written
