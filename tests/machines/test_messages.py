"""Messages against a model: whatever callers, owners, WhatsApp and time do, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from gateway.domain.errors import LeaseLost
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
from gateway.domain.sessions import LinkedDevice
from tests.machines.callers import CHATS, SOON, CalledMachine, any_message
from tests.machines.expected import Expected
from tests.machines.loop import LONG, SHORT, Ground, check, driven
from tests.machines.outbox import LOCKED_FOR
from tests.unit.services.telling import now as whatsapps_now
from tests.unit.services.telling import person, place, receipt, says
from tests.unit.workers.crew import another_owner_takes

LEVELS: Final = (Level.LEVEL_UNSPECIFIED, Level.LEVEL_DELIVERED, Level.LEVEL_READ, Level.LEVEL_PLAYED)
FAILURES: Final = (OutcomeUnknown("the answer was lost"), Refused("503"), NotSent("no line"))
LOCKED: Final = Refused("463")
OUTCOMES: Final[tuple[SendOutcome, ...]] = (*FAILURES, Refused("479"), LOCKED, Sent(whatsapps_now(), person().names))
LONGEST_PAUSE: Final = timedelta(seconds=61)
SPANS: Final = (timedelta(seconds=3), timedelta(seconds=11), LONGEST_PAUSE, timedelta(minutes=61))


class MessageMachine(CalledMachine):
    """All that can happen to the messages of one session: its owner, WhatsApp and time beside its callers."""

    def __init__(self) -> None:
        super().__init__()
        self.in_flight: Expected | None = None
        self.stale: Lease | None = None

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
        self.outbox.lose_sight()
        self.in_flight = None

    @precondition(lambda self: self.stale)
    @rule(which=any_message)
    @driven
    async def earlier_owner_tries(self, which: int) -> None:
        stale, message_id = self.stale, self.outbox.at(which).message_id
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
        message = self.outbox.at(which)
        by = person(phone_number=self.people[message.chat])
        await receipt(self.house, self.lease, level, message.message_id, by=by)
        message.arrive(level)

    @rule(chat=st.integers(0, CHATS - 1))
    @driven
    async def message_comes(self, chat: int) -> None:
        where = place(person(phone_number=self.people[chat]))
        await self.house.inbox.message(self.lease, says("Good day", where))
        self.outbox.hear_from(chat)

    @rule(active=st.booleans(), until=st.sampled_from([None, SOON / 2]))
    @driven
    async def whatsapp_forbids_new_chats(self, active: bool, until: timedelta | None) -> None:
        now = self.house.clock.now()
        fact = ReachoutRestricted(active, now + until if until else None)
        await self.house.restrictions.reachout(self.lease, fact)
        self.outbox.lock(now + (until or LOCKED_FOR) if active else None)

    @rule(span=st.sampled_from(SPANS))
    @driven
    async def time_passes(self, span: timedelta) -> None:
        await self._pass_time(span)

    async def _pass_time(self, span: timedelta) -> None:
        self.house.clock.ahead += span
        while await self.house.outbox.expire_overdue() or await self.house.restrictions.lift_ended():
            pass
        self.outbox.expire(self.house.clock.now())

    @precondition(lambda self: self.linked)
    @rule()
    @driven
    async def logged_out(self) -> None:
        await self.house.lines.logged_out(self.lease)
        self.linked = False
        self.outbox.fail()

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
        for message in self.outbox.messages:
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
        assert self.log.accepted == [message.message_id for message in self.outbox.messages]
        for message in self.outbox.messages:
            assert self.log.told[message.message_id] == message.told

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
        message.finish(outcome, self.house.clock.now(), holds=self.outbox.holds)
        if outcome is LOCKED and was_sending:
            self.outbox.refused_as_new(message.chat, self.house.clock.now())

    def _heads(self) -> list[Expected]:
        return self.outbox.heads(self.house.clock.now())


@pytest.mark.timeout(300)
def test_messages_are_as_the_contract_says_whatever_happens(ground: Ground) -> None:
    check(MessageMachine, ground, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_messages_are_as_the_contract_says_whatever_happens_for_long(ground: Ground) -> None:
    check(MessageMachine, ground, LONG)
