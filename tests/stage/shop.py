"""A shop: a session of a gateway, and the account on whose phone it is linked."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from tests.stage.watching import Watch, watching
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import (
    content_pb2,
    event_pb2,
    identity_pb2,
    message_pb2,
    message_service_pb2,
    pairing_service_pb2,
    session_pb2,
    session_service_pb2,
)

Frame = pairing_service_pb2.PairSessionResponse
State = session_pb2.SessionStatus.State

PAIRED_WITHIN: Final = 20.0

_numbers = itertools.count(1)


class Shop:
    """A session, and its account."""

    def __init__(self, gateway: Gateway, lab: Lab, session_id: str, account: lab_service_pb2.Account) -> None:
        self.gateway = gateway
        self.lab = lab
        self.session_id = session_id
        self.account = account
        self.phone_number = account.phone_number

    @asynccontextmanager
    async def pairing(self, phone_number: str = "") -> AsyncIterator[Watch[Frame]]:
        """Watch a pairing attempt, begun or joined."""
        request = pairing_service_pb2.PairSessionRequest(session_id=self.session_id, phone_number=phone_number)
        async with watching(self.gateway.pairing.PairSession(request), lambda frame: frame) as frames:
            yield frames

    async def pair(self, account: lab_service_pb2.Account | None = None) -> identity_pb2.Identity:
        """Link the account, or another one, by QR; who it is."""
        async with self.pairing() as frames:
            shown = await frames.until(lambda frame: frame.HasField("code"))
            await self.lab.scan(account or self.account, shown.code.text)
            last = await frames.until(is_last, within=PAIRED_WITHIN)
            assert last.HasField("connected"), last
            return last.connected

    @asynccontextmanager
    async def events(self, *kinds: str) -> AsyncIterator[Watch[event_pb2.Event]]:
        """The session's events from now on, of these kinds or of all."""
        async with self.gateway.events(session_ids=[self.session_id], kinds=kinds) as events:
            yield events

    async def accept(self, to: str, text: str, **fields: Any) -> message_pb2.Message:
        """Ask for a text to be sent; `fields` are those of the request, or of the content's context."""
        context = {name: fields.pop(name) for name in ("reply_to", "mentions") if name in fields}
        content = content_pb2.Content(text=content_pb2.Text(text=text), context=content_pb2.Context(**context))
        request = message_service_pb2.SendMessageRequest(session_id=self.session_id, to=to, content=content, **fields)
        return (await self.gateway.messages.SendMessage(request)).message

    async def message(self, message_id: str) -> message_pb2.Message:
        """A message as it is now."""
        request = message_service_pb2.GetMessageRequest(session_id=self.session_id, message_id=message_id)
        return (await self.gateway.messages.GetMessage(request)).message

    @asynccontextmanager
    async def watch(self, message_id: str) -> AsyncIterator[Watch[message_pb2.Message]]:
        """Watch a message."""
        request = message_service_pb2.WatchMessageRequest(session_id=self.session_id, message_id=message_id)
        async with watching(self.gateway.messages.WatchMessage(request), lambda frame: frame.message) as message:
            yield message

    async def messages(self, chat: str = "") -> list[message_pb2.Message]:
        """The session's messages, the newest first."""
        request = message_service_pb2.ListMessagesRequest(session_id=self.session_id, chat=chat)
        return list((await self.gateway.messages.ListMessages(request)).messages)

    async def status(self) -> session_pb2.SessionStatus:
        """What is the case with the session."""
        request = session_service_pb2.GetSessionRequest(session_id=self.session_id)
        return (await self.gateway.sessions.GetSession(request)).session.status

    async def start(self) -> None:
        """Want a line, and wait until it is up."""
        async with self.events("session.state_changed") as events:
            await self.gateway.sessions.StartSession(
                session_service_pb2.StartSessionRequest(session_id=self.session_id)
            )
            await events.until(reached(State.STATE_CONNECTED), within=PAIRED_WITHIN)

    async def stop(self) -> None:
        """Want no line, and wait until it is gone."""
        async with self.events("session.state_changed") as events:
            await self.gateway.sessions.StopSession(session_service_pb2.StopSessionRequest(session_id=self.session_id))
            await events.until(reached(State.STATE_STOPPED))

    async def logout(self) -> None:
        """Want no link."""
        request = session_service_pb2.LogoutSessionRequest(session_id=self.session_id)
        await self.gateway.sessions.LogoutSession(request)


async def new_shop(gateway: Gateway, lab: Lab, *, paired: bool = True, expected_phone_number: str = "") -> Shop:
    """A new session with an account of its own, linked or not."""
    shop = Shop(gateway, lab, f"shop-{next(_numbers)}", await lab.account())
    spec = session_pb2.SessionSpec(expected_phone_number=expected_phone_number)
    session = session_pb2.Session(session_id=shop.session_id, spec=spec)
    async with shop.events("session.state_changed") as events:
        await gateway.sessions.CreateSession(session_service_pb2.CreateSessionRequest(session=session))
        await events.until(reached(State.STATE_PAIRING))
    if paired:
        await shop.pair()
    return shop


def as_told(shown: message_pb2.Message) -> message_pb2.Message:
    """A message as events tell it: without until when it is kept, which goes by the settings of the day."""
    told = message_pb2.Message()
    told.CopyFrom(shown)
    told.ClearField("expire_time")
    return told


def is_last(frame: Frame) -> bool:
    """Whether a frame is an attempt's last."""
    return frame.WhichOneof("frame") in ("connected", "failed")


def reached(state: State.ValueType) -> Callable[[event_pb2.Event], bool]:
    """Whether an event tells that a session is in a state now."""
    return lambda event: event.session_state_changed.status.state == state
