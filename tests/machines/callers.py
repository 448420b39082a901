"""What callers do to messages: accepted, repeated, cancelled, sent anew."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from gateway.domain.clocks import to_timestamp
from gateway.domain.errors import (
    GatewayError,
    MessageNotCancelable,
    MessageNotRetryable,
    RequestIdReused,
    SessionLoggedOut,
)
from gateway.domain.messages import State
from gateway.domain.sessions import OnAmbiguous
from tests.machines.expected import ENDED, REPEATS
from tests.machines.log import Log
from tests.machines.loop import Machine, driven
from tests.machines.outbox import ExpectedOutbox
from tests.unit.services.house import a_send
from wagate.v1 import message_service_pb2 as pb
from wagate.v1 import session_service_pb2

CHATS: Final = 2
SOON: Final = timedelta(hours=1)
any_message = st.integers(0, 20)


class CalledMachine(Machine):
    """One session with two chats, and what its callers do."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = ExpectedOutbox()
        self.requests: dict[str, tuple[int, str]] = {}
        self.linked = True

    @initialize(chats=st.lists(st.integers(0, CHATS - 1), min_size=2, max_size=5))
    @driven
    async def begin_anew(self, chats: list[int]) -> None:
        """A session and people whom nobody knew before, and messages that wait."""
        number = next(self.ground.numbers)
        self.session_id = f"s-{number}"
        self.people = [f"+4915{number:06}{chat:04}" for chat in range(CHATS)]
        position = await self.house.newest()
        self.lease = await self.house.linked(self.session_id)
        self.log = Log(self.house, self.lease.session_uid, position)
        for chat in chats:
            await self._accept(chat, "", soon=False)

    @rule(chat=st.integers(0, CHATS - 1), name=st.sampled_from(["", "", "a", "b"]), soon=st.booleans())
    @driven
    async def accept(self, chat: int, name: str, soon: bool) -> None:
        await self._accept(chat, name, soon=soon)

    async def _accept(self, chat: int, name: str, *, soon: bool) -> None:
        request = a_send(f"text {name}", to=self.people[chat], session_id=self.session_id, request_id=name)
        if soon and not name:
            request.give_up_time.CopyFrom(to_timestamp(self.house.clock.now() + SOON))
        earlier = self.requests.get(name)
        try:
            response = await self.house.messages.send(self.house.call(), request)
        except RequestIdReused:
            assert earlier is not None
            assert earlier[0] != chat
        except SessionLoggedOut:
            assert not self.linked
            assert earlier is None
        else:
            assert response.repeated_request == (earlier is not None)
            if earlier is not None:
                assert (chat, response.message.message_id) == earlier
                return
            self.outbox.accept(chat, response.message)
            if name:
                self.requests[name] = (chat, response.message.message_id)

    @rule(which=any_message)
    @driven
    async def cancel(self, which: int) -> None:
        message = self.outbox.at(which)
        request = pb.CancelMessageRequest(session_id=self.session_id, message_id=message.message_id)
        refusal = await refusal_of(self.house.messages.cancel(self.house.call(), request))
        if message.waits_for_word:
            message.end(State.STATE_FAILED)
        elif message.state == State.STATE_QUEUED:
            message.end(State.STATE_CANCELED)
        elif message.state != State.STATE_CANCELED:
            assert isinstance(refusal, MessageNotCancelable)
            return
        assert refusal is None

    @rule(which=any_message)
    @driven
    async def retry(self, which: int) -> None:
        message = self.outbox.at(which)
        request = pb.RetryMessageRequest(session_id=self.session_id, message_id=message.message_id)
        try:
            response = await self.house.messages.retry(self.house.call(), request)
        except MessageNotRetryable:
            assert message.state not in ENDED
            assert not message.waits_for_word or message.repeats >= REPEATS
        except SessionLoggedOut:
            assert not self.linked
        else:
            if message.waits_for_word:
                message.release()
                assert response.message.message_id == message.message_id
                return
            assert message.state in ENDED
            self.outbox.accept(message.chat, response.message)

    @rule(holds=st.booleans())
    @driven
    async def choose(self, holds: bool) -> None:
        """What is done about messages that become ambiguous from now on."""
        request = session_service_pb2.UpdateSessionRequest()
        request.session.session_id = self.session_id
        hold, repeat = OnAmbiguous.ON_AMBIGUOUS_HOLD, OnAmbiguous.ON_AMBIGUOUS_REPEAT
        request.session.spec.on_ambiguous = hold if holds else repeat
        await self.house.sessions.update(self.house.call(), request)
        self.outbox.holds = holds

    @driven
    async def teardown(self) -> None:
        """Leave nothing that the next machine could find."""
        request = session_service_pb2.DeleteSessionRequest(session_id=self.session_id, force=True)
        await self.house.sessions.delete(self.house.call(), request)


async def refusal_of(call: Awaitable[object]) -> GatewayError | None:
    """With what a call is refused, if it is."""
    try:
        await call
    except GatewayError as refusal:
        return refusal
    return None
