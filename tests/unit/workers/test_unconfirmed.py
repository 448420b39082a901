"""What nobody confirmed: repeated after a later login, settled by a receipt, held or ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    NotSent,
    OfflineSync,
    OutcomeUnknown,
    Refused,
)
from gateway.domain.messages import Hold, HoldKind, Level, State
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, receipt
from tests.unit.workers.answers import Held, in_turn
from tests.unit.workers.crew import SETTLE_FOR, connected, message_in_state, tools_of
from tests.unit.workers.scripted_provider import CONNECTED, ScriptedLine, at_once
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import message_service_pb2, session_pb2, session_service_pb2

ADA, BOB = "+4915100000011", "+4915100000012"
CAUGHT_UP = OfflineSync(completed=True)


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


async def never_answered(house: House, line: ScriptedLine, message_id: str, *, attempts: int = 4) -> None:
    """Let so many attempts at sending a message end without an answer, each in a login of its own."""
    for number in range(1, attempts + 1):
        await eventually(lambda number=number: len(house.provider.handed) == number)  # type: ignore[misc]
        await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
        await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED)
        if number < attempts:
            await line.tell(CAUGHT_UP)


async def test_it_is_repeated_three_times_and_ends_after_one_more_login_so_that_its_chat_goes_on(
    house: House, lease: Lease
) -> None:
    house.provider.answer = in_turn(*[OutcomeUnknown("the answer was lost")] * 4)
    message_id, behind = await house.send(to=ADA), await house.send("behind", to=ADA)
    async with connected(house, lease) as line:
        await never_answered(house, line, message_id)
        other = await house.send("other", to=BOB)
        await message_in_state(house, other, State.STATE_SENT)
        assert (await house.message(message_id)).state == State.STATE_UNCONFIRMED
        await line.tell(CAUGHT_UP)
        await message_in_state(house, behind, State.STATE_SENT)
    message = await house.message(message_id)
    assert message.failure is not None
    assert (message.state, message.failure.reason) == (State.STATE_FAILED, reasons.ERROR_REASON_NEVER_CONFIRMED)
    assert house.provider.texts() == ["Good morning"] * 4 + ["other", "behind"]


async def test_until_then_a_receipt_settles_it(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(*[OutcomeUnknown("the answer was lost")] * 4)
    message_id = await house.send(to=PHONE)
    async with connected(house, lease) as line:
        await never_answered(house, line, message_id)
        await receipt(house, lease, Level.LEVEL_DELIVERED, message_id)
        await line.tell(CAUGHT_UP)
        other = await house.send("other", to=PHONE)
        await message_in_state(house, other, State.STATE_SENT)
    assert (await house.message(message_id)).state == State.STATE_SENT


async def test_a_line_that_did_not_answer_for_a_while_does_not_make_it_forgotten(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    message_id = await house.send()
    async with connected(house, lease, tools_of(house, redial_after=timedelta(seconds=1))) as line:
        await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
        await line.tell(LineChanged(LineState.DEGRADED), CONNECTED)
        second = await house.provider.line(2)
        await second.come_up()
        await message_in_state(house, message_id, State.STATE_SENT)


async def test_in_a_session_that_wants_to_decide_it_is_repeated_only_when_a_caller_says_so(
    house: House, lease: Lease
) -> None:
    await wants_to_decide(house)
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"))
    message_id, behind = await house.send(to=ADA), await house.send("behind", to=ADA)
    async with connected(house, lease) as line:
        await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
        await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED, CAUGHT_UP)
        other = await house.send("other", to=BOB)
        await message_in_state(house, other, State.STATE_SENT)
        await asyncio.wait_for(line_settled(house), SECONDS)
        assert (await house.message(message_id)).hold == Hold(HoldKind.KIND_UNCONFIRMED)
        retry = message_service_pb2.RetryMessageRequest(session_id="sales", message_id=message_id)
        await house.messages.retry(house.call(), retry)
        await message_in_state(house, behind, State.STATE_SENT)
    assert house.provider.texts() == ["Good morning", "other", "Good morning", "behind"]
    assert await house.states(message_id) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]


async def wants_to_decide(house: House) -> None:
    """Let the session ask that nothing is repeated unasked."""
    wish = session_pb2.Session(session_id="sales")
    wish.spec.on_ambiguous = session_pb2.SessionSpec.ON_AMBIGUOUS_HOLD
    await house.sessions.update(house.call(), session_service_pb2.UpdateSessionRequest(session=wish))


async def line_settled(house: House) -> None:
    """Wait until more than the pause after a login has passed, in which what may be repeated would have been."""
    begun = house.clock.now()
    await eventually(lambda: house.clock.now() - begun > 3 * SETTLE_FOR)


async def test_a_repeat_that_did_not_leave_says_nothing_about_the_attempt_before(house: House, lease: Lease) -> None:
    house.provider.answer = in_turn(OutcomeUnknown("the answer was lost"), NotSent("no line"), Refused("503"))
    message_id = await house.send()
    async with connected(house, lease) as line:
        await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
        await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED, CAUGHT_UP)
        await eventually(lambda: len(house.provider.handed) == 3)
        await message_in_state(house, message_id, State.STATE_UNCONFIRMED)
        house.clock.ahead += timedelta(seconds=3)
        await message_in_state(house, message_id, State.STATE_SENT)
    assert await house.states(message_id) == ["SENDING", "UNCONFIRMED"] * 3 + ["SENDING", "SENT"]


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
