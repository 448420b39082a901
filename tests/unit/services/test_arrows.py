"""Each arrow of a message's states is taken by what the contract says, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from gateway.domain.leases import Lease
from gateway.domain.lines import NotSent, OutcomeUnknown, Refused, SendOutcome, Sent
from gateway.domain.messages import ARROWS, Level, State
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, now, person, receipt
from wagate.v1 import message_service_pb2 as pb

Step = Callable[[House, Lease, str], Awaitable[object]]

QUEUED, SENDING, UNCONFIRMED = State.STATE_QUEUED, State.STATE_SENDING, State.STATE_UNCONFIRMED
SENT, FAILED, CANCELED, EXPIRED = State.STATE_SENT, State.STATE_FAILED, State.STATE_CANCELED, State.STATE_EXPIRED

LOST = OutcomeUnknown("the answer was lost")


async def begin(house: House, lease: Lease, message_id: str) -> None:
    await house.outbox.begin(lease, message_id)


def finish(outcome: SendOutcome, *, late: bool = False) -> Step:
    """The attempt ends like this; late, after the message was given up."""

    async def step(house: House, lease: Lease, message_id: str) -> None:
        if late:
            house.clock.ahead += timedelta(hours=25)
        await house.outbox.finish(lease, message_id, outcome)

    return step


async def recover(house: House, lease: Lease, message_id: str) -> None:
    del message_id
    await house.outbox.recover(lease)


async def cancel(house: House, lease: Lease, message_id: str) -> None:
    del lease
    await house.messages.cancel(house.call(), pb.CancelMessageRequest(session_id="sales", message_id=message_id))


async def expire(house: House, lease: Lease, message_id: str) -> None:
    del lease, message_id
    house.clock.ahead += timedelta(hours=25)
    await house.outbox.expire_overdue()


async def log_out(house: House, lease: Lease, message_id: str) -> None:
    del message_id
    await house.lines.logged_out(lease)


async def hear_of_it(house: House, lease: Lease, message_id: str) -> None:
    await receipt(house, lease, Level.LEVEL_DELIVERED, message_id)


async def repeat_in_vain(house: House, lease: Lease, message_id: str) -> None:
    for _ in range(3):
        await house.outbox.begin(lease, message_id)
        await house.outbox.finish(lease, message_id, LOST)
    await house.outbox.conclude(lease, message_id)


TO: dict[State.ValueType, list[Step]] = {
    QUEUED: [],
    SENDING: [begin],
    UNCONFIRMED: [begin, finish(LOST)],
}
"""How a message gets into each state of the outbox."""

TAKEN: list[tuple[State.ValueType, State.ValueType, Step]] = [
    (QUEUED, SENDING, begin),
    (QUEUED, CANCELED, cancel),
    (QUEUED, FAILED, log_out),
    (QUEUED, EXPIRED, expire),
    (SENDING, SENT, finish(Sent(now(), person(phone_number=PHONE).names))),
    (SENDING, SENT, hear_of_it),
    (SENDING, QUEUED, finish(NotSent("no line"))),
    (SENDING, QUEUED, finish(Refused("503"))),
    (SENDING, UNCONFIRMED, finish(LOST)),
    (SENDING, UNCONFIRMED, recover),
    (SENDING, FAILED, finish(Refused("479"))),
    (SENDING, FAILED, log_out),
    (SENDING, EXPIRED, finish(NotSent("no line"), late=True)),
    (UNCONFIRMED, SENDING, begin),
    (UNCONFIRMED, SENT, hear_of_it),
    (UNCONFIRMED, FAILED, log_out),
    (UNCONFIRMED, FAILED, repeat_in_vain),
    (UNCONFIRMED, EXPIRED, expire),
]

REFUSED_LATE = (SENT, FAILED)
"""No provider refuses late yet."""


@pytest.mark.parametrize(
    ("before", "after", "step"),
    TAKEN,
    ids=[
        f"{State.Name(before)[6:]} to {State.Name(after)[6:]} {place}" for place, (before, after, _) in enumerate(TAKEN)
    ],
)
async def test_an_arrow_is_taken_and_told(
    house: House, lease: Lease, before: State.ValueType, after: State.ValueType, step: Step
) -> None:
    message_id = await house.send(to=PHONE)
    for way in TO[before]:
        await way(house, lease, message_id)
    assert (await house.message(message_id)).state == before
    seen = await house.newest()
    await step(house, lease, message_id)
    message = await house.message(message_id)
    told = await house.steps(message_id, after=seen)
    assert message.state == after
    assert told[-1].revision == message.revision
    assert after in [one.state for one in told]
    assert (message.failure is not None) == (after in (FAILED, EXPIRED))


def test_there_is_no_arrow_that_nothing_takes() -> None:
    arrows = {(before, after) for before, ends in ARROWS.items() for after in ends}
    assert {(before, after) for before, after, _ in TAKEN} | {REFUSED_LATE} == arrows
