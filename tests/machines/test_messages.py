"""Messages against a model: whatever callers, owners, WhatsApp and time do, in whatever order."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from gateway.domain.clocks import from_timestamp, to_timestamp
from gateway.domain.errors import (
    GatewayError,
    LeaseLost,
    MessageNotCancelable,
    MessageNotRetryable,
    RequestIdReused,
    SessionLoggedOut,
)
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    NotSent,
    OutcomeUnknown,
    ReachoutRestricted,
    Refused,
    SendOutcome,
    Sent,
)
from gateway.domain.messages import Level, State
from gateway.domain.sessions import LinkedDevice, OnAmbiguous
from tests.machines.expected import ENDED, REPEATS, Expected
from tests.machines.log import Log
from tests.machines.loop import LONG, SHORT, Ground, Machine, check, driven
from tests.unit.services.house import a_send
from tests.unit.services.telling import now as whatsapps_now
from tests.unit.services.telling import person, place, receipt, says
from tests.unit.workers.crew import another_owner_takes
from wagate.v1 import message_pb2, session_service_pb2
from wagate.v1 import message_service_pb2 as pb

CHATS: Final = 2
LEVELS: Final = (Level.LEVEL_UNSPECIFIED, Level.LEVEL_DELIVERED, Level.LEVEL_READ, Level.LEVEL_PLAYED)
FAILURES: Final = (OutcomeUnknown("the answer was lost"), Refused("503"), NotSent("no line"))
LOCKED: Final = Refused("463")
OUTCOMES: Final[tuple[SendOutcome, ...]] = (*FAILURES, Refused("479"), LOCKED, Sent(whatsapps_now(), person().names))
LONGEST_PAUSE: Final = timedelta(seconds=61)
SPANS: Final = (timedelta(seconds=3), timedelta(seconds=11), LONGEST_PAUSE, timedelta(minutes=61))
SOON = LOCKED_FOR = timedelta(hours=1)

any_message = st.integers(0, 20)


class MessageMachine(Machine):
    """One session with two chats, and all that can happen to their messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Expected] = []
        self.requests: dict[str, tuple[int, str]] = {}
        self.in_flight: Expected | None = None
        self.stale: Lease | None = None
        self.heard_from: set[int] = set()
        self.locked_until: datetime | None = None
        self.holds = False
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

    # Callers

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
            self._accepted(chat, response.message)
            if name:
                self.requests[name] = (chat, response.message.message_id)

    @rule(which=any_message)
    @driven
    async def cancel(self, which: int) -> None:
        message = self._message(which)
        request = pb.CancelMessageRequest(session_id=self.session_id, message_id=message.message_id)
        refusal = await self._refusal(self.house.messages.cancel(self.house.call(), request))
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
        message = self._message(which)
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
            self._accepted(message.chat, response.message)

    @rule(holds=st.booleans())
    @driven
    async def choose(self, holds: bool) -> None:
        """What is done about messages that become ambiguous from now on."""
        request = session_service_pb2.UpdateSessionRequest()
        request.session.session_id = self.session_id
        hold, repeat = OnAmbiguous.ON_AMBIGUOUS_HOLD, OnAmbiguous.ON_AMBIGUOUS_REPEAT
        request.session.spec.on_ambiguous = hold if holds else repeat
        await self.house.sessions.update(self.house.call(), request)
        self.holds = holds

    # The owner

    @precondition(lambda self: self.in_flight is None and self._heads())
    @rule(which=any_message)
    @driven
    async def begin(self, which: int) -> None:
        heads = self._heads()
        await self._begin(heads[which % len(heads)])

    @precondition(lambda self: self.in_flight)
    @rule(outcome=st.sampled_from(OUTCOMES))
    @driven
    async def finish(self, outcome: SendOutcome) -> None:
        await self._finish(outcome)

    @precondition(lambda self: self.in_flight is None and self._heads())
    @rule(which=any_message, outcome=st.sampled_from(FAILURES), times=st.integers(2, 5))
    @driven
    async def fail_again_and_again(self, which: int, outcome: SendOutcome, times: int) -> None:
        for _ in range(times):
            if heads := self._heads():
                await self._begin(heads[which % len(heads)])
            if self.in_flight:
                await self._finish(outcome)
            if isinstance(outcome, Refused):
                await self._pass_time(LONGEST_PAUSE)

    @precondition(lambda self: any(message.is_repeated_out for message in self._heads()))
    @rule()
    @driven
    async def conclude(self) -> None:
        for message in self._heads():
            if message.is_repeated_out:
                await self.house.outbox.conclude(self.lease, message.message_id)
                message.end(State.STATE_FAILED)

    @rule(elsewhere=st.booleans())
    @driven
    async def owner_begins_anew(self, elsewhere: bool) -> None:
        """The owner lost its line, or another process has taken the session over."""
        if elsewhere:
            self.stale, self.lease = self.lease, await another_owner_takes(self.house, self.lease)
        await self.house.outbox.recover(self.lease)
        for message in self.messages:
            if message.state == State.STATE_SENDING:
                message.lose_sight(holds=self.holds)
        self.in_flight = None

    @precondition(lambda self: self.stale)
    @rule(which=any_message)
    @driven
    async def earlier_owner_tries(self, which: int) -> None:
        stale, message_id = self.stale, self._message(which).message_id
        assert stale is not None
        for attempt in (
            self.house.outbox.begin(stale, message_id),
            self.house.outbox.finish(stale, message_id, NotSent("too late")),
            self.house.outbox.conclude(stale, message_id),
            self.house.outbox.recover(stale),
            self.house.lines.changed(stale, LineChanged(LineState.RECONNECTING)),
        ):
            with pytest.raises(LeaseLost):
                await attempt

    # WhatsApp, and time

    @rule(which=any_message, level=st.sampled_from(LEVELS))
    @driven
    async def receipt_comes(self, which: int, level: Level.ValueType) -> None:
        message = self._message(which)
        by = person(phone_number=self.people[message.chat])
        await receipt(self.house, self.lease, level, message.message_id, by=by)
        message.arrive(level)

    @rule(chat=st.integers(0, CHATS - 1))
    @driven
    async def message_comes(self, chat: int) -> None:
        where = place(person(phone_number=self.people[chat]))
        await self.house.inbox.message(self.lease, says("Good day", where))
        self.heard_from.add(chat)

    @rule(active=st.booleans(), until=st.sampled_from([None, SOON / 2]))
    @driven
    async def whatsapp_forbids_new_chats(self, active: bool, until: timedelta | None) -> None:
        now = self.house.clock.now()
        fact = ReachoutRestricted(active, now + until if until else None)
        await self.house.restrictions.reachout(self.lease, fact)
        self.locked_until = now + (until or LOCKED_FOR) if active else None

    @rule(span=st.sampled_from(SPANS))
    @driven
    async def time_passes(self, span: timedelta) -> None:
        await self._pass_time(span)

    async def _pass_time(self, span: timedelta) -> None:
        self.house.clock.ahead += span
        while await self.house.outbox.expire_overdue() or await self.house.restrictions.lift_ended():
            pass
        for message in self.messages:
            overdue = message.give_up_time <= self.house.clock.now()
            if overdue and message.state in {State.STATE_QUEUED, State.STATE_UNCONFIRMED}:
                message.end(State.STATE_EXPIRED)

    @precondition(lambda self: self.linked)
    @rule()
    @driven
    async def logged_out(self) -> None:
        await self.house.lines.logged_out(self.lease)
        self.linked = False
        for message in self.messages:
            if message.waits():
                message.end(State.STATE_FAILED)

    @precondition(lambda self: not self.linked)
    @rule()
    @driven
    async def paired_again(self) -> None:
        device = LinkedDevice(f"{self.session_id}:8@s.whatsapp.net", f"1{self.lease.session_uid}@lid")
        await self.house.lines.linked(self.lease, device, "Shop")
        await self.house.lines.changed(self.lease, LineChanged(LineState.CONNECTED))
        self.linked = True

    # What is always true

    @invariant()
    @driven
    async def all_is_as_expected(self) -> None:
        for message in self.messages:
            row = await self.house.message(message.message_id)
            assert (row.state, row.repeat_count, row.refusal_count, row.waits_for_word) == (
                message.state,
                message.repeats,
                message.refusals,
                message.waits_for_word,
            )
            assert row.reach.furthest == message.furthest
        heads = await self.house.outbox.heads(self.lease)
        assert [head.message_id for head in heads] == [head.message_id for head in self._heads()]

    @invariant()
    @driven
    async def each_step_was_told_in_order_and_once(self) -> None:
        await self.log.read()
        assert self.log.accepted == [message.message_id for message in self.messages]
        for message in self.messages:
            assert self.log.told[message.message_id] == message.told

    @driven
    async def teardown(self) -> None:
        """Leave nothing that the next machine could find."""
        request = session_service_pb2.DeleteSessionRequest(session_id=self.session_id, force=True)
        await self.house.sessions.delete(self.house.call(), request)

    @staticmethod
    async def _refusal(call: Awaitable[object]) -> GatewayError | None:
        try:
            await call
        except GatewayError as refusal:
            return refusal
        return None

    async def _begin(self, message: Expected) -> None:
        outgoing = await self.house.outbox.begin(self.lease, message.message_id)
        assert (outgoing is not None) == message.may_begin(self.house.clock.now())
        if outgoing is not None:
            message.begin()
            self.in_flight = message

    async def _finish(self, outcome: SendOutcome) -> None:
        message, self.in_flight = self.in_flight, None
        assert message is not None
        await self.house.outbox.finish(self.lease, message.message_id, outcome)
        was_sending = message.state == State.STATE_SENDING
        message.finish(outcome, self.house.clock.now(), holds=self.holds)
        if outcome is LOCKED and was_sending and not self._is_known(message.chat) and not self._is_locked():
            self.locked_until = self.house.clock.now() + LOCKED_FOR

    def _accepted(self, chat: int, shown: message_pb2.Message) -> None:
        self.messages.append(Expected(shown.message_id, chat, from_timestamp(shown.give_up_time)))

    def _message(self, which: int) -> Expected:
        return self.messages[which % len(self.messages)]

    def _heads(self) -> list[Expected]:
        """The first of each chat that waits, unless it lets the others pass or must not be sent now."""
        now = self.house.clock.now()
        heads: dict[int, Expected] = {}
        for message in self.messages:
            if message.waits() and not message.lets_others_pass(now):
                heads.setdefault(message.chat, message)
        return [head for head in heads.values() if self._is_known(head.chat) or not self._is_locked()]

    def _is_known(self, chat: int) -> bool:
        """Whether messages were exchanged in a chat."""
        sent = any(message.chat == chat and message.state == State.STATE_SENT for message in self.messages)
        return sent or chat in self.heard_from

    def _is_locked(self) -> bool:
        """Whether WhatsApp forbids to write where none were."""
        return self.locked_until is not None and self.locked_until > self.house.clock.now()


@pytest.mark.timeout(300)
def test_messages_are_as_the_contract_says_whatever_happens(ground: Ground) -> None:
    check(MessageMachine, ground, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_messages_are_as_the_contract_says_whatever_happens_for_long(ground: Ground) -> None:
    check(MessageMachine, ground, LONG)
