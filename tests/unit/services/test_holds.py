"""Holds: why a message that is due waits, the reason that lasts longest first."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState, NotSent, OutcomeUnknown, Refused
from gateway.domain.messages import HoldKind
from tests.unit.services.house import House
from tests.unit.services.telling import goes_out
from wagate.v1 import message_service_pb2 as pb

ADA, BOB = "+4915100000011", "+4915100000012"
LOST, NO_LINE = OutcomeUnknown("the answer was lost"), NotSent("no line")


async def hold(house: House, message_id: str) -> str:
    """What a message is shown to wait for, as a single word; empty if it is in line."""
    shown = await house.shown(message_id)
    return HoldKind.Name(shown.hold.kind).removeprefix("KIND_") if shown.HasField("hold") else ""


async def test_what_waits_for_its_turn_alone_is_in_line(house: House, lease: Lease) -> None:
    first, second = await house.send(to=ADA), await house.send(to=ADA)
    assert [await hold(house, one) for one in (first, second)] == ["", ""]
    await house.outbox.begin(lease, first)
    assert [await hold(house, one) for one in (first, second)] == ["", ""]


async def test_what_waits_behind_an_unconfirmed_message_says_so_and_what_is_in_other_chats_does_not(
    house: House, lease: Lease
) -> None:
    first, second, third, other = [await house.send(to=to) for to in (ADA, ADA, ADA, BOB)]
    await goes_out(house, lease, first, LOST)
    assert [await hold(house, one) for one in (first, second, third, other)] == ["", "UNCONFIRMED", "UNCONFIRMED", ""]
    listed = await house.messages.list(house.call(), pb.ListMessagesRequest(session_id="sales"))
    assert [message.hold.kind for message in listed.messages] == [
        HoldKind.KIND_UNSPECIFIED,
        HoldKind.KIND_UNCONFIRMED,
        HoldKind.KIND_UNCONFIRMED,
        HoldKind.KIND_UNSPECIFIED,
    ]


async def test_behind_a_message_that_did_not_leave_all_wait_as_long_as_it_does(house: House, lease: Lease) -> None:
    first, second = await house.send(to=ADA), await house.send(to=ADA)
    await house.outbox.begin(lease, first)
    await house.outbox.finish(lease, first, NO_LINE, timedelta(seconds=5))
    holds = [(await house.shown(one)).hold for one in (first, second)]
    assert holds[0] == holds[1]
    assert holds[0].kind == HoldKind.KIND_RETRY
    assert holds[0].HasField("until_time")


async def test_a_message_that_was_refused_for_now_holds_up_none_behind_it(house: House, lease: Lease) -> None:
    first, second = await house.send(to=ADA), await house.send(to=ADA)
    await goes_out(house, lease, first, Refused("503"))
    assert [await hold(house, one) for one in (first, second)] == ["RETRY", ""]


async def test_while_the_session_is_away_that_is_why_everything_waits(house: House, lease: Lease) -> None:
    first, second, other = [await house.send(to=to) for to in (ADA, ADA, BOB)]
    await goes_out(house, lease, first, LOST)
    await goes_out(house, lease, other, Refused("503"))
    await house.lines.changed(lease, LineChanged(LineState.DEGRADED))
    assert [await hold(house, one) for one in (first, second, other)] == ["", "SESSION", "SESSION"]
