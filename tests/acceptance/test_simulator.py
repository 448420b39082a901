"""What the author of a bot writes: a whole gateway on a simulated WhatsApp, in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from grpc import aio

from gateway.domain.lines import LineState, MessageArrived, ReceiptArrived, Refused
from gateway.providers.simulator.simulation import Simulation
from gateway.testing import simulated_gateway
from wagate.v1 import (
    content_pb2,
    error_reason_pb2,
    event_pb2,
    event_service_pb2,
    message_pb2,
    message_service_pb2,
    pairing_service_pb2,
    session_pb2,
    session_service_pb2,
    system_service_pb2,
)
from wagate.v1.event_service_pb2_grpc import EventServiceStub
from wagate.v1.message_service_pb2_grpc import MessageServiceStub
from wagate.v1.pairing_service_pb2_grpc import PairingServiceStub
from wagate.v1.session_service_pb2_grpc import SessionServiceStub
from wagate.v1.system_service_pb2_grpc import SystemServiceStub

READER, ECHO = "+999000200", "+999000222"
ADA = "+447700900001"

State = message_pb2.Message.State
Level = message_pb2.Reach.Level
SessionState = session_pb2.SessionStatus.State


@dataclass
class Shop:
    """A paired session, and the bot's view of it."""

    channel: aio.Channel
    simulation: Simulation
    phone_number: str

    async def send(self, to: str, words: str, session_id: str = "shop") -> message_pb2.Message:
        content = content_pb2.Content(text=content_pb2.Text(text=words))
        request = message_service_pb2.SendMessageRequest(session_id=session_id, to=to, content=content)
        return (await MessageServiceStub(self.channel).SendMessage(request)).message

    async def told(self, wanted: Callable[[event_pb2.Event], bool]) -> event_pb2.Event:
        """The first event of which this is true, of all that ever were."""
        request = event_service_pb2.StreamEventsRequest(earliest=True)
        async with asyncio.timeout(10):
            async for frame in EventServiceStub(self.channel).StreamEvents(request):
                if wanted(frame.event):
                    return frame.event
        raise AssertionError("the stream ended")

    async def reached(
        self, sent: message_pb2.Message, state: State.ValueType, level: Level.ValueType = Level.LEVEL_UNSPECIFIED
    ) -> None:
        """Wait until a message is in a state, and got so far."""

        def so_far(event: event_pb2.Event) -> bool:
            changed = event.message_status_changed
            return (changed.message_id, changed.state, changed.reach.furthest) == (sent.message_id, state, level)

        await self.told(so_far)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    simulation = Simulation()
    async with simulated_gateway(tmp_path / "data", simulation) as address, aio.insecure_channel(address) as channel:
        yield Shop(channel, simulation, await pair(channel, "shop"))


async def pair(channel: aio.Channel, session_id: str, phone_number: str = "") -> str:
    """Create a session and pair it; its number."""
    spec = session_pb2.SessionSpec(expected_phone_number=phone_number)
    session = session_pb2.Session(session_id=session_id, spec=spec)
    await SessionServiceStub(channel).CreateSession(session_service_pb2.CreateSessionRequest(session=session))
    frames = PairingServiceStub(channel).PairSession(pairing_service_pb2.PairSessionRequest(session_id=session_id))
    steps = [frame async for frame in frames]
    assert [step.WhichOneof("frame") for step in steps] == ["code", "linked", "connected"]
    return steps[-1].connected.phone_number


async def test_a_message_is_sent_delivered_and_read(shop: Shop) -> None:
    sent = await shop.send(READER, "Your order is on its way")
    await shop.reached(sent, State.STATE_SENT, Level.LEVEL_DELIVERED)
    await shop.reached(sent, State.STATE_SENT, Level.LEVEL_READ)


async def test_what_somebody_says_is_received_and_the_answer_reaches_them(shop: Shop) -> None:
    inbox = shop.simulation.inbox(ADA)
    shop.simulation.say(ADA, shop.phone_number, "Are you open?")
    received = (await shop.told(lambda event: event.HasField("message_received"))).message_received.message
    assert (received.content.text.text, received.sender.phone_number) == ("Are you open?", ADA)
    await shop.send(received.chat.id, "Until six")
    delivered, answer = [await asyncio.wait_for(inbox.get(), 10) for _ in range(2)]
    assert isinstance(delivered, ReceiptArrived)
    assert isinstance(answer, MessageArrived)
    assert answer.content.text.text == "Until six"


async def test_a_number_says_what_becomes_of_a_message(shop: Shop) -> None:
    ends = {
        "202": State.STATE_SENT,
        "404": State.STATE_FAILED,
        "408": State.STATE_UNCONFIRMED,
        "479": State.STATE_FAILED,
        "503": State.STATE_QUEUED,
        "504": State.STATE_SENT,
    }
    for ending, state in ends.items():
        await shop.reached(await shop.send(f"+999000{ending}", "Hello?"), state)
    await shop.send(ECHO, "Is there anybody?")
    echo = (await shop.told(lambda event: event.HasField("message_received"))).message_received.message
    assert echo.content.text.text == "Is there anybody?"


async def test_a_script_says_what_becomes_of_a_message(shop: Shop) -> None:
    shop.simulation.outcomes[ADA] = Refused("400")
    await shop.reached(await shop.send(ADA, "Hello?"), State.STATE_FAILED)


async def test_a_script_says_what_becomes_of_a_line(shop: Shop) -> None:
    (line,) = shop.simulation.lines(shop.phone_number)
    line.go_down(LineState.BLOCKED, error_reason_pb2.ERROR_REASON_SESSION_REPLACED, seconds=1)
    await shop.told(in_state(SessionState.STATE_BLOCKED))


def in_state(state: SessionState.ValueType) -> Callable[[event_pb2.Event], bool]:
    return lambda event: event.session_state_changed.status.state == state


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ("401", SessionState.STATE_LOGGED_OUT),
        ("402", SessionState.STATE_BLOCKED),
        ("515", SessionState.STATE_RECONNECTING),
    ],
)
async def test_a_number_says_what_becomes_of_a_line(shop: Shop, ending: str, state: SessionState.ValueType) -> None:
    await shop.reached(await shop.send(f"+999000{ending}", "Hello?"), State.STATE_SENT)
    await shop.told(in_state(state))


async def test_a_session_plays_the_customer_in_whatever_language_a_bot_is_written(shop: Shop) -> None:
    await pair(shop.channel, "customer", ADA)
    await shop.send(shop.phone_number, "Hi there", session_id="customer")
    received = (await shop.told(lambda event: event.HasField("message_received"))).message_received.message
    assert (received.content.text.text, received.sender.phone_number) == ("Hi there", ADA)
    await shop.reached(await shop.send(ADA, "Good day"), State.STATE_SENT, Level.LEVEL_DELIVERED)


async def test_the_server_says_that_it_simulates(shop: Shop) -> None:
    info = await SystemServiceStub(shop.channel).GetServerInfo(system_service_pb2.GetServerInfoRequest())
    (provider,) = info.providers
    assert (provider.provider, provider.is_default, provider.lab) == ("simulator", True, True)
    assert "send.text" in provider.capabilities
