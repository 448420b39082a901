from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.messages import (
    ENDED_UNSENT,
    UNSENT,
    Direction,
    Hold,
    HoldKind,
    IllegalArrow,
    Level,
    Message,
    Origin,
    Receipt,
    State,
)
from wagate.v1 import content_pb2

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = (Level.LEVEL_DELIVERED, Level.LEVEL_READ, Level.LEVEL_PLAYED)

QUEUED, SENDING, UNCONFIRMED = State.STATE_QUEUED, State.STATE_SENDING, State.STATE_UNCONFIRMED
SENT, FAILED, CANCELED = State.STATE_SENT, State.STATE_FAILED, State.STATE_CANCELED
EXPIRED, RECEIVED = State.STATE_EXPIRED, State.STATE_RECEIVED

# Written down from the comment of Message.State in the contract, not from the code.
ARROWS_OF_THE_CONTRACT = {
    (QUEUED, SENDING),
    (SENDING, SENT),
    (SENDING, QUEUED),
    (SENDING, UNCONFIRMED),
    (UNCONFIRMED, SENT),
    (UNCONFIRMED, SENDING),
    *product((QUEUED, SENDING, UNCONFIRMED), (FAILED, EXPIRED)),
    (QUEUED, CANCELED),
    (SENT, FAILED),
}


def a_message(state: State.ValueType) -> Message:
    return Message(
        tenant_id="default",
        message_id="m_1",
        session_id="sales",
        session_uid="s_1",
        chat_id="p_1",
        sender_id="p_2",
        direction=Direction.DIRECTION_OUTBOUND,
        origin=Origin.ORIGIN_API,
        state=state,
        content=content_pb2.Content(text=content_pb2.Text(text="Good morning")),
        create_time=NOON,
        metadata={"order": "17"},
    )


@pytest.mark.parametrize(("one", "other"), list(product(State.values(), State.values())))
def test_the_arrows_are_those_of_the_contract_and_no_others(one: State.ValueType, other: State.ValueType) -> None:
    message = a_message(one)
    if (one, other) in ARROWS_OF_THE_CONTRACT:
        message.move(other)
        assert message.state == other
    else:
        with pytest.raises(IllegalArrow):
            message.move(other)
        assert message.state == one


def test_what_waits_can_end_unsent_and_what_ended_waits_no_more() -> None:
    assert {QUEUED, SENDING, UNCONFIRMED} == UNSENT
    assert {FAILED, EXPIRED, CANCELED} == ENDED_UNSENT
    for end in ENDED_UNSENT:
        for state in State.values():
            assert (end, state) not in ARROWS_OF_THE_CONTRACT


@given(st.lists(st.sampled_from(STEPS), max_size=8))
def test_a_persons_steps_are_told_in_order_and_each_once_whatever_order_receipts_come_in(
    levels: list[Level.ValueType],
) -> None:
    receipt = Receipt("default", "m_1", "p_1")
    told = [step for level in levels for step in receipt.advance(level, NOON)]
    assert told == list(STEPS[: max(levels, default=0)])


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 100)), min_size=1, max_size=8))
def test_the_first_moment_of_a_step_stays(told: list[tuple[Level.ValueType, int]]) -> None:
    receipt = Receipt("default", "m_1", "p_1")
    for level, seconds in told:
        receipt.advance(level, NOON + timedelta(seconds=seconds))
    moments = (receipt.deliver_time, receipt.read_time, receipt.play_time)
    for step, moment in zip(STEPS, moments, strict=True):
        first = next((seconds for level, seconds in told if level >= step), None)
        assert moment == (None if first is None else NOON + timedelta(seconds=first))


def test_a_copy_can_be_changed_without_changing_the_message() -> None:
    message = a_message(QUEUED)
    copy = message.copy()
    copy.metadata["order"] = "18"
    copy.move(SENDING)
    assert (message.state, message.metadata) == (QUEUED, {"order": "17"})


def test_a_hold_is_shown_with_its_end_if_that_is_known() -> None:
    shown = Hold(HoldKind.KIND_RETRY, NOON).to_proto()
    assert (shown.kind, shown.until_time.ToDatetime(UTC)) == (HoldKind.KIND_RETRY, NOON)
    assert not Hold(HoldKind.KIND_SESSION).to_proto().HasField("until_time")


def test_only_what_is_unconfirmed_and_held_for_that_waits_for_word() -> None:
    for state, hold in product((QUEUED, UNCONFIRMED), (None, HoldKind.KIND_RETRY, HoldKind.KIND_UNCONFIRMED)):
        message = a_message(state)
        message.hold = Hold(hold) if hold else None
        assert message.waits_for_word == ((state, hold) == (UNCONFIRMED, HoldKind.KIND_UNCONFIRMED))


def test_a_message_is_repeated_out_after_three_repeats_that_nobody_confirmed() -> None:
    for state, repeats in product((QUEUED, SENDING, UNCONFIRMED, SENT), range(5)):
        message = a_message(state)
        message.repeat_count = repeats
        assert message.is_repeated_out == (state == UNCONFIRMED and repeats >= 3)
