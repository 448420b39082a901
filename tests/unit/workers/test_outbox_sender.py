"""The outbox, sent through an owner's line."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    NotSent,
    OfflineSync,
    Outgoing,
    Refused,
    SendOutcome,
    Unsayable,
)
from gateway.domain.messages import HoldKind, State
from gateway.ports.provider import LineDown, LineGone
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.workers.answers import Held, in_turn
from tests.unit.workers.crew import connected, message_in_state, owned
from tests.unit.workers.scripted_provider import CONNECTED, at_once
from wagate.v1 import error_reason_pb2 as reasons

ADA, BOB = "+4915100000011", "+4915100000012"
CAUGHT_UP = OfflineSync(completed=True)


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


async def test_what_cannot_be_said_fails_at_once_and_holds_up_nobody(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(Unsayable("a message is sent to a person"))
    unsayable, behind = await house.send("unsayable", to=ADA), await house.send("behind", to=ADA)
    async with connected(house, lease):
        await message_in_state(house, behind, State.STATE_SENT)
    failed = await house.message(unsayable)
    assert failed.failure is not None
    assert (failed.state, failed.failure.reason) == (State.STATE_FAILED, reasons.ERROR_REASON_INTERNAL)
    assert await house.states(unsayable) == ["SENDING", "FAILED"]


async def test_a_message_that_cannot_leave_by_itself_waits_longer_each_time_and_holds_up_nobody_else(
    house: House, lease: Lease
) -> None:
    house.provider.answer = unless_to(ADA, NotSent("its keys are missing"))
    stuck, behind = await house.send("stuck", to=ADA), await house.send("behind", to=ADA)
    async with connected(house, lease):
        for number in range(3):
            other = await house.send(f"other {number}", to=BOB)
            await message_in_state(house, other, State.STATE_SENT)
        await eventually(lambda: house.provider.texts().count("stuck") == 3)
        await message_in_state(house, stuck, State.STATE_QUEUED)
        shown, waits = await house.shown(stuck), await house.shown(behind)
        assert shown.hold.kind == waits.hold.kind == HoldKind.KIND_RETRY
        assert shown.hold.until_time.ToDatetime(UTC) > house.clock.now()
        house.provider.answer = at_once
        await message_in_state(house, behind, State.STATE_SENT)
    pauses = [step.hold.until_time.ToNanoseconds() for step in await house.steps(stuck) if step.HasField("hold")]
    assert pauses[2] - pauses[1] > pauses[1] - pauses[0] > 0
    assert [text for text in house.provider.texts() if text in ("stuck", "behind")][-2:] == ["stuck", "behind"]


def unless_to(phone_number: str, failed: SendOutcome) -> Callable[[Outgoing], Awaitable[SendOutcome]]:
    """WhatsApp takes everything, and nothing leaves for one number."""

    async def answer(message: Outgoing) -> SendOutcome:
        return failed if message.to.phone_number == phone_number else await at_once(message)

    return answer


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
