"""The story: a shop pairs its session, writes to Anna, is read, and is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import grpc

from gateway.demo.broken import StoryBroken
from gateway.demo.cast import Cast
from gateway.demo.following import Following, Happened, following
from gateway.demo.screen import Screen
from wagate.lab.v1 import lab_service_pb2 as lab
from wagate.v1 import content_pb2, event_pb2, message_pb2, session_pb2
from wagate.v1 import message_service_pb2 as messages
from wagate.v1 import pairing_service_pb2 as pairing
from wagate.v1 import session_service_pb2 as sessions

SESSION: Final = "shop"
_PATIENCE: Final = 20.0
_State = message_pb2.Message.State
_Level = message_pb2.Reach.Level


@dataclass(frozen=True, slots=True)
class Ending:
    """How the story ends: who can go on talking."""

    shop_number: str
    anna_number: str
    anna_id: str


async def play(cast: Cast, screen: Screen) -> Ending:
    """Play the story to its end.

    Raises:
        StoryBroken: a step did not happen.
    """
    try:
        return await _Story(cast, screen).play()
    except grpc.aio.AioRpcError as error:
        raise StoryBroken(f"a call was refused: {error.code().name}, {error.details()}") from None


class _Story:
    def __init__(self, cast: Cast, screen: Screen) -> None:
        self._cast = cast
        self._screen = screen

    async def play(self) -> Ending:
        self._screen.step("Two people get WhatsApp accounts in the lab: the shop, and Anna")
        shop = (await self._cast.lab.CreateAccount(lab.CreateAccountRequest(push_name="The shop"))).account
        anna = await self._cast.lab.CreatePerson(lab.CreatePersonRequest(name="Anna"))
        self._screen.say(f"the shop has {shop.phone_number}, Anna has {anna.account.phone_number}")
        async with following(self._cast.events, self._screen.event) as events:
            await self._create()
            await self._pair(shop.phone_number)
            await events.until(_is_connected, "the session was not told to be connected")
            message = await self._send(anna.account.phone_number)
            await self._arrive(events, message, anna.person_id, shop.phone_number)
            received = await self._answer(events, message, anna.person_id, shop.phone_number)
        await self._resume(events, received)
        return Ending(shop.phone_number, anna.account.phone_number, anna.person_id)

    async def _create(self) -> None:
        self._screen.step(f"CreateSession {SESSION!r}")
        session = session_pb2.Session(session_id=SESSION, display_name="The shop")
        await self._cast.sessions.CreateSession(sessions.CreateSessionRequest(session=session), timeout=_PATIENCE)

    async def _pair(self, phone_number: str) -> None:
        self._screen.step("PairSession shows a QR; the shop's phone scans it")
        call = self._cast.pairing.PairSession(pairing.PairSessionRequest(session_id=SESSION), timeout=_PATIENCE)
        scanned = False
        async for frame in call:
            match frame.WhichOneof("frame"):
                case "code" if not scanned:
                    scanned = True
                    self._screen.qr(frame.code.text)
                    await self._cast.lab.ScanQr(lab.ScanQrRequest(phone_number=phone_number, qr_text=frame.code.text))
                case "linked":
                    self._screen.say("linked")
                case "connected":
                    self._screen.say("connected")
                    return
                case "failed":
                    raise StoryBroken(f"pairing failed: {frame.failed.message}")
        raise StoryBroken("pairing ended without a word")

    async def _send(self, to: str) -> message_pb2.Message:
        self._screen.step(f"SendMessage to {to}, end-to-end encrypted")
        text = content_pb2.Text(text="Hello Anna, your order is ready.")
        request = messages.SendMessageRequest(
            session_id=SESSION, to=to, content=content_pb2.Content(text=text), request_id=str(uuid4())
        )
        message = (await self._cast.messages.SendMessage(request, timeout=_PATIENCE)).message
        self._screen.say(f"accepted as {message.message_id}")
        return message

    async def _arrive(self, events: Following, message: message_pb2.Message, anna: str, shop: str) -> None:
        await events.until(_got(message, _State.STATE_SENT), "the message was not sent")
        await events.until(_reached(message, _Level.LEVEL_DELIVERED), "the message was not delivered")
        async for item in self._cast.lab.WatchInbox(lab.WatchInboxRequest(person_id=anna, until_now=True)):
            self._screen.say(f"on Anna's phone: {item.text}")
        self._screen.step("Anna reads it")
        read = lab.MarkReadRequest(person_id=anna, sender=shop, provider_message_ids=[message.provider_message_id])
        await self._cast.lab.MarkRead(read)
        await events.until(_reached(message, _Level.LEVEL_READ), "the message was not told to be read")

    async def _answer(self, events: Following, message: message_pb2.Message, anna: str, shop: str) -> event_pb2.Event:
        self._screen.step("Anna answers")
        answer = lab.SayRequest(
            person_id=anna,
            to=shop,
            text="Thank you! I am on my way.",
            reply_to_provider_message_id=message.provider_message_id,
            reply_to_author=shop,
        )
        await self._cast.lab.Say(answer)
        received = await events.until(lambda event: event.kind == "message.received", "the answer was not received")
        quoted = received.message_received.message.content.context.reply_to.message_id
        if quoted != message.message_id:
            raise StoryBroken(f"the answer quotes {quoted or 'nothing'} instead of {message.message_id}")
        self._screen.say(f"received as an answer to {quoted}")
        return received

    async def _resume(self, events: Following, last: event_pb2.Event) -> None:
        begin = next(event for event in events.seen if event.kind == "message.accepted")
        self._screen.step("StreamEvents again, resumed from the cursor just after `message.accepted`")
        async with following(self._cast.events, self._screen.event, after_cursor=begin.cursor) as resumed:
            await resumed.until(lambda event: event.event_id == last.event_id, "the resumed stream stopped early")
        expected = [event.event_id for event in events.seen[events.seen.index(begin) + 1 :]]
        if [event.event_id for event in resumed.seen][: len(expected)] != expected:
            raise StoryBroken("the resumed stream told other events than the first one")
        self._screen.say(f"the same {len(expected)} events: nothing lost, nothing twice")


def _is_connected(event: event_pb2.Event) -> bool:
    state = event.session_state_changed.status.state
    return state == session_pb2.SessionStatus.STATE_CONNECTED


def _got(message: message_pb2.Message, state: _State.ValueType) -> Happened:
    return lambda event: _is_about(message, event) and event.message_status_changed.state == state


def _reached(message: message_pb2.Message, level: _Level.ValueType) -> Happened:
    return lambda event: _is_about(message, event) and event.message_status_changed.reach.furthest >= level


def _is_about(message: message_pb2.Message, event: event_pb2.Event) -> bool:
    return event.message_status_changed.message_id == message.message_id
