"""Receipts, in any order, before and after WhatsApp's own answer."""

from __future__ import annotations

from itertools import count
from typing import TypeAlias, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.lines import OutcomeUnknown, ReceiptArrived, ReceiptKind
from gateway.domain.messages import Level, Reach, State
from gateway.services.receipts import grown
from tests.unit.services.house import House, word
from tests.unit.services.telling import PHONE, goes_out, now, person, receipt
from wagate.v1 import message_service_pb2 as pb

DELIVERED, READ, PLAYED = Level.LEVEL_DELIVERED, Level.LEVEL_READ, Level.LEVEL_PLAYED
OWN_DEVICE = Level.LEVEL_UNSPECIFIED

ANSWER = cast(Level.ValueType, -1)
Things: TypeAlias = list[tuple[Level.ValueType, set[int]]]
THINGS = st.lists(
    st.tuples(st.sampled_from((ANSWER, OWN_DEVICE, DELIVERED, READ, PLAYED)), st.sets(st.integers(0, 2), min_size=1)),
    max_size=10,
)
_numbers = count(1)


def expected(things: Things, place: int) -> list[str]:
    """What must be told of one message: each step in its order, none twice, none left out."""
    levels = [level for level, places in things if place in places]
    furthest = max((int(level) for level in levels if level != ANSWER), default=0)
    left = ["SENDING", "SENT"] if levels else []
    return [*left, *("DELIVERED", "READ", "PLAYED")[:furthest]]


async def told(house: House, message_id: str, *, after: int = 0) -> list[str]:
    """What the log tells of one message: how it left, and then how far it got."""
    steps = await house.steps(message_id, after=after)
    assert [step.revision for step in steps] == list(range(2, len(steps) + 2))
    assert [step.reach.furthest for step in steps] == sorted(step.reach.furthest for step in steps)
    return [
        Level.Name(step.reach.furthest).removeprefix("LEVEL_") if step.reach.furthest else word(step.state)
        for step in steps
    ]


@given(THINGS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_step_is_told_in_order_and_once_whatever_comes_first(
    house: House, lease: Lease, things: Things
) -> None:
    number, before = f"+49151{next(_numbers):08}", await house.newest()
    sent = [await house.send(f"number {place}", to=number) for place in range(3)]
    for level, places in things:
        named = [sent[place] for place in sorted(places)]
        if level != ANSWER:
            await receipt(house, lease, level, *named, by=person(phone_number=number))
            continue
        for message_id in named:
            if (await house.message(message_id)).state == State.STATE_QUEUED:
                await goes_out(house, lease, message_id)
    for place, message_id in enumerate(sent):
        assert await told(house, message_id, after=before) == expected(things, place)
        reach = (await house.message(message_id)).reach
        steps = expected(things, place)[2:]
        assert (reach.delivered_count, reach.read_count, reach.played_count) == tuple(
            int(step in steps) for step in ("DELIVERED", "READ", "PLAYED")
        )


@pytest.mark.parametrize("level", [OWN_DEVICE, DELIVERED, READ, PLAYED])
async def test_any_receipt_settles_what_is_unconfirmed_and_the_late_answer_changes_nothing(
    house: House, lease: Lease, level: Level.ValueType
) -> None:
    message_id = await house.send()
    await goes_out(house, lease, message_id, OutcomeUnknown("the answer was lost"))
    await receipt(house, lease, level, message_id)
    await house.outbox.finish(lease, message_id, OutcomeUnknown("the answer was lost"))
    assert await house.states(message_id) == ["SENDING", "UNCONFIRMED", "SENT"]
    assert (await house.message(message_id)).send_time is not None


async def test_a_receipt_that_overtakes_the_answer_tells_the_skipped_steps_first(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await house.outbox.begin(lease, message_id)
    await receipt(house, lease, READ, message_id)
    assert await told(house, message_id) == ["SENDING", "SENT", "DELIVERED", "READ"]
    message = await house.message(message_id)
    assert (message.reach.recipient_count, message.attempt_count) == (1, 1)


async def test_a_receipt_by_a_lid_that_came_with_its_number_finds_the_chat_that_was_known_by_number(
    house: House, lease: Lease
) -> None:
    message_id = await house.send(to=PHONE)
    await house.outbox.begin(lease, message_id)
    await receipt(house, lease, DELIVERED, message_id, by=person("200@lid", PHONE))
    assert await told(house, message_id) == ["SENDING", "SENT", "DELIVERED"]


async def test_a_receipt_whose_chat_shows_that_two_are_one_counts_them_as_one(house: House, lease: Lease) -> None:
    message_id = await house.send(to=PHONE)
    await goes_out(house, lease, message_id)
    by, chat = person("200@lid"), person("200@lid", PHONE)
    await receipt(house, lease, DELIVERED, message_id, by=by, chat=chat)
    await receipt(house, lease, READ, message_id, by=by, chat=chat)
    message = await house.message(message_id)
    assert (message.reach.delivered_count, message.reach.read_count) == (1, 1)
    request = pb.ListReceiptsRequest(session_id="sales", message_id=message_id)
    (shown,) = (await house.messages.receipts(house.call(), request)).receipts
    assert shown.participant == (await house.shown(message_id)).chat


async def test_a_stranger_cannot_confirm_what_was_written_to_someone_else(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await house.outbox.begin(lease, message_id)
    await receipt(house, lease, READ, message_id, by=person(phone_number="+4915199999999"))
    assert await told(house, message_id) == ["SENDING"]


async def test_what_was_given_up_stays_so_though_it_arrived_after_all(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await goes_out(house, lease, message_id, OutcomeUnknown("the answer was lost"))
    house.clock.ahead += (await house.message(message_id)).give_up_time - house.clock.now()  # type: ignore[operator]
    assert await house.outbox.expire_overdue() == 1
    await receipt(house, lease, DELIVERED, message_id)
    message = await house.message(message_id)
    assert (message.state, message.reach.furthest) == (State.STATE_EXPIRED, DELIVERED)


async def test_that_the_account_read_something_elsewhere_is_nothing_to_tell(house: House, lease: Lease) -> None:
    message_id = await house.send()
    provider_id = (await house.message(message_id)).provider_message_id
    own = person(phone_number=PHONE)
    await house.receipts.take(lease, ReceiptArrived(own, own, (provider_id,), ReceiptKind.READ_BY_SELF, now()))
    assert await house.steps(message_id) == []


async def test_an_owner_that_lost_its_lease_takes_in_no_receipt(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await house.leases.release(lease)
    before = await house.stored_log()
    with pytest.raises(LeaseLost):
        await receipt(house, lease, READ, message_id)
    assert await house.stored_log() == before


def test_who_follows_others_takes_back_nothing_of_how_far_they_got() -> None:
    reach = Reach(recipient_count=2)
    for step in (DELIVERED, READ, DELIVERED):
        reach = grown(reach, step)
    assert (reach.furthest, reach.delivered_count, reach.read_count) == (READ, 2, 1)
