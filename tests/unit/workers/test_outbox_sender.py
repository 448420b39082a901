"""The outbox, sent through an owner's line."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    NotSent,
    OfflineSync,
    OutcomeUnknown,
    Outgoing,
    Refused,
    SendOutcome,
)
from gateway.domain.messages import Level, State
from gateway.ports.provider import LineDown, LineGone
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, receipt
from tests.unit.workers.crew import connected, message_in_state, owned, tools_of
from tests.unit.workers.scripted_provider import CONNECTED, at_once

ADA, BOB = "+4915100000011", "+4915100000012"
CAUGHT_UP = OfflineSync(completed=True)


def in_turn(*outcomes: SendOutcome | type[Exception]) -> Callable[[Outgoing], Awaitable[SendOutcome]]:
    """Answers one after another; once they are used up, WhatsApp takes everything."""
    left = list(outcomes)

    async def answer(message: Outgoing) -> SendOutcome:
        outcome = left.pop(0) if left else await at_once(message)
        if isinstance(outcome, type):
            raise outcome("as the test says")
        return outcome

    return answer


class Held:
    """WhatsApp, asked and silent until the test lets it answer."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers: asyncio.Queue[SendOutcome] = asyncio.Queue()

    async def __call__(self, message: Outgoing) -> SendOutcome:
        del message
        self.asked.set()
        return await self.answers.get()


async def test_what_waits_is_sent_once_the_line_is_connected_and_not_before(house: House, lease: Lease) -> None:
    message_id = await house.send("Good morning")
    async with owned(house, lease):
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.OPENING))
        assert house.provider.handed == []
        await line.come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
    assert await house.states(message_id) == ["SENDING", "SENT"]


async def test_a_new_message_is_sent_at_once(house: House, lease: Lease) -> None:
    async with connected(house, lease):
        message_id = await house.send()
        await message_in_state(house, message_id, State.STATE_SENT)
    (handed,) = house.provider.handed
    assert handed.provider_message_id == (await house.message(message_id)).provider_message_id


async def test_within_a_chat_messages_leave_in_the_order_of_their_acceptance(house: House, lease: Lease) -> None:
    sent = [await house.send(f"{number}", to=(ADA, BOB)[number % 2]) for number in range(10)]
    async with connected(house, lease):
        for message_id in sent:
            await message_in_state(house, message_id, State.STATE_SENT)
    texts = house.provider.texts()
    assert [text for text in texts if int(text) % 2 == 0] == ["0", "2", "4", "6", "8"]
    assert [text for text in texts if int(text) % 2] == ["1", "3", "5", "7", "9"]


@pytest.mark.parametrize("failed", [NotSent("no line"), LineDown], ids=["not sent", "line down"])
async def test_what_did_not_leave_is_sent_again_in_its_place(
    house: House, lease: Lease, failed: SendOutcome | type[Exception]
) -> None:
    house.provider.answer = in_turn(failed)
    first, second = await house.send("first", to=ADA), await house.send("second", to=ADA)
    async with connected(house, lease):
        await message_in_state(house, second, State.STATE_SENT)
    assert house.provider.texts() == ["first", "first", "second"]
    assert await house.states(first) == ["SENDING", "QUEUED", "SENDING", "SENT"]
    assert len({message.provider_message_id for message in house.provider.handed}) == 2


async def test_what_a_line_that_was_gone_did_not_take_leaves_through_the_next(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(LineGone)
    message_id = await house.send()
    async with connected(house, lease):
        await (await house.provider.line(2)).come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
    assert await house.states(message_id) == ["SENDING", "QUEUED", "SENDING", "SENT"]


async def test_behind_a_refusal_the_queue_goes_on(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(Refused("479"), Refused("503"))
    failed, paused = await house.send("failed", to=ADA), await house.send("paused", to=ADA)
    last = await house.send("last", to=ADA)
    async with connected(house, lease):
        await message_in_state(house, last, State.STATE_SENT)
        assert (await house.message(failed)).state == State.STATE_FAILED
        assert (await house.message(paused)).state == State.STATE_QUEUED
        house.clock.ahead += timedelta(seconds=3)
        await message_in_state(house, paused, State.STATE_SENT)
    assert house.provider.texts() == ["failed", "paused", "last", "paused"]


async def test_what_is_unconfirmed_holds_back_its_chat_alone_and_is_not_repeated_in_the_same_login(
    house: House, lease: Lease
) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    first, second = await house.send("first", to=ADA), await house.send("second", to=ADA)
    async with connected(house, lease) as line:
        await message_in_state(house, first, State.STATE_UNCONFIRMED)
        other = await house.send("other", to=BOB)
        await message_in_state(house, other, State.STATE_SENT)
        await line.tell(OfflineSync(completed=True))
        later = await house.send("later", to=BOB)
        await message_in_state(house, later, State.STATE_SENT)
        assert (await house.message(second)).state == State.STATE_QUEUED
    assert house.provider.texts() == ["first", "other", "later"]


async def test_it_is_repeated_under_its_id_after_a_later_login_and_all_that_waited_and_a_pause(
    house: House, lease: Lease
) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    first, second = await house.send("first", to=ADA), await house.send("second", to=ADA)
    async with connected(house, lease) as line:
        await message_in_state(house, first, State.STATE_UNCONFIRMED)
        await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED, OfflineSync(completed=False))
        other = await house.send("other", to=BOB)
        await message_in_state(house, other, State.STATE_SENT)
        assert (await house.message(first)).state == State.STATE_UNCONFIRMED
        await line.tell(CAUGHT_UP)
        await message_in_state(house, second, State.STATE_SENT)
    assert house.provider.texts() == ["first", "other", "first", "second"]
    assert await house.states(first) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]
    assert house.provider.handed[0].provider_message_id == house.provider.handed[2].provider_message_id


async def test_it_is_repeated_three_times_at_most_and_then_waits_for_a_receipt(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(*[OutcomeUnknown("the answer was lost")] * 9)
    message_id = await house.send()
    async with connected(house, lease) as line:
        for attempts in (1, 2, 3, 4):
            await eventually(lambda attempts=attempts: len(house.provider.handed) == attempts)  # type: ignore[misc]
            await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
            await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED, CAUGHT_UP)
        house.provider.answer = at_once
        other = await house.send("other", to=BOB)
        await message_in_state(house, other, State.STATE_SENT)
        await receipt(house, lease, Level.LEVEL_DELIVERED, message_id, by=None)
        assert (await house.message(message_id)).state == State.STATE_SENT
    assert house.provider.texts().count("Good morning") == 4


async def test_a_receipt_settles_it_and_the_chat_goes_on_without_a_repeat(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    first, second = await house.send("first", to=PHONE), await house.send("second", to=PHONE)
    async with connected(house, lease):
        await message_in_state(house, first, State.STATE_UNCONFIRMED)
        await receipt(house, lease, Level.LEVEL_READ, first)
        await message_in_state(house, second, State.STATE_SENT)
    assert house.provider.texts() == ["first", "second"]


async def test_a_line_that_stays_up_is_dialled_anew_so_that_what_is_unconfirmed_can_be_repeated(
    house: House, lease: Lease
) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    message_id = await house.send()
    async with connected(house, lease, tools_of(house, redial_after=timedelta(milliseconds=50))) as line:
        second = await house.provider.line(2)
        assert line.closed
        await second.come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
    assert house.provider.texts() == ["Good morning"] * 2


async def test_what_is_in_flight_when_the_line_drops_counts_as_unknown_and_is_repeated_through_the_next(
    house: House, lease: Lease
) -> None:
    house.provider.answer = held = Held()
    message_id = await house.send()
    async with connected(house, lease) as line:
        await asyncio.wait_for(held.asked.wait(), SECONDS)
        line.hang_up()
        second = await house.provider.line(2)
        assert (await house.message(message_id)).state == State.STATE_UNCONFIRMED
        house.provider.answer = at_once
        await second.come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
    assert await house.states(message_id) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]


async def test_an_outcome_is_not_forgotten_while_the_database_does_not_answer(
    house: House, lease: Lease, tmp_path: Path
) -> None:
    house.provider.answer = held = Held()
    message_id = await house.send()
    async with connected(house, lease):
        await asyncio.wait_for(held.asked.wait(), SECONDS)
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with capture_logs() as logs:
                held.answers.put_nowait(Refused("463"))
                await eventually(lambda: any("outcome waits" in line["event"] for line in logs))
            other.execute("ROLLBACK")
        await message_in_state(house, message_id, State.STATE_FAILED)


async def test_nothing_is_sent_through_a_line_that_is_not_up(house: House, lease: Lease) -> None:
    async with connected(house, lease) as line:
        await line.tell(LineChanged(LineState.DEGRADED))
        message_id = await house.send()
        await line.tell(LineChanged(LineState.RECONNECTING))
        assert house.provider.handed == []
        await line.tell(CONNECTED)
        await message_in_state(house, message_id, State.STATE_SENT)
