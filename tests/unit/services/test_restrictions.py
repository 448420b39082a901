"""Restrictions: begun by a notice or a refusal, ended by a notice or by themselves, told both times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState, NotSent, OutcomeUnknown, ReachoutRestricted, Refused
from gateway.domain.messages import HoldKind
from gateway.domain.sessions import Forbidden
from gateway.ports.queue import outbox_bell
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, arrives, goes_out, now
from wagate.v1 import error_reason_pb2 as reasons

BOB, CAROL = "+4915100000012", "+4915100000013"
AN_HOUR, A_MOMENT = timedelta(hours=1), timedelta(seconds=3)
LOCKED, FREE = ReachoutRestricted(active=True), ReachoutRestricted(active=False)


async def told(house: House) -> list[list[Forbidden.ValueType]]:
    """What each state change told as forbidden."""
    changes = [event.session_state_changed.status for event in await house.log("session.state_changed")]
    return [[one.kind for one in status.restrictions] for status in changes]


async def heads(house: House, lease: Lease) -> list[str]:
    """What may be handed over now."""
    return [message.content.text.text for message in await house.outbox.heads(lease)]


async def restriction(house: House) -> tuple[Forbidden.ValueType, bool]:
    """The one restriction that the newest state change told, and whether it has an end."""
    (*_, event) = await house.log("session.state_changed")
    (one,) = event.session_state_changed.status.restrictions
    return one.kind, one.HasField("until_time")


async def test_a_lock_holds_what_would_begin_a_chat_and_lets_the_rest_go(house: House, lease: Lease) -> None:
    await arrives(house, lease, "are you there?")
    before = await house.send("hello", to=BOB)
    await goes_out(house, lease, before)
    until = now() + AN_HOUR
    await house.restrictions.reachout(lease, ReachoutRestricted(active=True, until_time=until))
    new = await house.send("new", to=CAROL)
    await house.send("to who wrote", to=PHONE)
    await house.send("to who was written to", to=BOB)
    assert await heads(house, lease) == ["to who wrote", "to who was written to"]
    assert await house.outbox.begin(lease, new) is None
    hold = (await house.shown(new)).hold
    assert (hold.kind, hold.until_time.ToSeconds()) == (HoldKind.KIND_RESTRICTION, int(until.timestamp()))
    assert await restriction(house) == (Forbidden.KIND_REACHOUT, True)


async def test_what_is_unconfirmed_in_a_chat_that_a_lock_closes_says_so_and_waits_for_its_repeat_again_after_it(
    house: House, lease: Lease
) -> None:
    new = await house.send("new", to=CAROL)
    await goes_out(house, lease, new, OutcomeUnknown("the answer was lost"))
    assert not (await house.shown(new)).HasField("hold")
    until = now() + AN_HOUR
    await house.restrictions.reachout(lease, ReachoutRestricted(active=True, until_time=until))
    hold = (await house.shown(new)).hold
    assert (hold.kind, hold.until_time.ToSeconds()) == (HoldKind.KIND_RESTRICTION, int(until.timestamp()))
    assert await heads(house, lease) == []
    await house.restrictions.reachout(lease, FREE)
    assert not (await house.shown(new)).HasField("hold")
    assert await heads(house, lease) == ["new"]


async def test_a_lock_ends_by_itself_a_moment_after_the_end_that_was_said_and_rings(house: House, lease: Lease) -> None:
    await house.restrictions.reachout(lease, ReachoutRestricted(active=True, until_time=now() + AN_HOUR))
    new = await house.send("new", to=CAROL)
    assert (await house.restrictions.lift_ended(), await heads(house, lease)) == (0, [])
    house.clock.ahead = AN_HOUR + A_MOMENT
    with house.queue.listen(outbox_bell(lease.session_uid)) as ears:
        assert await house.restrictions.lift_ended() == 1
        await ears.heard(1)
    assert (await house.restrictions.lift_ended(), await heads(house, lease)) == (0, ["new"])
    assert not (await house.shown(new)).HasField("hold")
    assert (await told(house))[-2:] == [[Forbidden.KIND_REACHOUT], []]


async def test_a_lock_is_lifted_by_a_notice_and_news_that_is_none_is_not_told(house: House, lease: Lease) -> None:
    before = await told(house)
    for notice in (FREE, LOCKED, FREE, FREE):
        await house.restrictions.reachout(lease, notice)
    assert (await told(house))[len(before) :] == [[Forbidden.KIND_REACHOUT], []]


async def test_a_refused_beginning_of_a_chat_locks_for_an_hour_unless_whatsapp_says_otherwise(
    house: House, lease: Lease
) -> None:
    refused, waiting = await house.send("refused", to=BOB), await house.send("waiting", to=CAROL)
    await goes_out(house, lease, refused, Refused("463"))
    assert (await house.message(refused)).failure is not None
    assert await restriction(house) == (Forbidden.KIND_REACHOUT, False)
    assert await heads(house, lease) == []
    house.clock.ahead = AN_HOUR - timedelta(minutes=1)
    assert await house.restrictions.lift_ended() == 0
    house.clock.ahead = AN_HOUR + A_MOMENT
    assert await house.restrictions.lift_ended() == 1
    assert await heads(house, lease) == ["waiting"]
    await goes_out(house, lease, waiting)


async def test_what_was_refused_does_not_change_the_end_that_whatsapp_said(house: House, lease: Lease) -> None:
    refused = await house.send("refused", to=BOB)
    await house.outbox.begin(lease, refused)
    await house.restrictions.reachout(lease, ReachoutRestricted(active=True, until_time=now() + AN_HOUR))
    await house.outbox.finish(lease, refused, Refused("463"))
    assert await restriction(house) == (Forbidden.KIND_REACHOUT, True)


@pytest.mark.parametrize("outcome", [Refused("463"), Refused("479"), Refused("503"), NotSent("no line")])
async def test_nothing_else_is_taken_for_a_lock(house: House, lease: Lease, outcome: Refused | NotSent) -> None:
    known = outcome == Refused("463")
    if known:
        await arrives(house, lease, "are you there?")
    before = await told(house)
    await goes_out(house, lease, await house.send("hello", to=PHONE if known else BOB), outcome)
    assert await told(house) == before


async def test_a_ban_holds_everything_until_its_end_and_is_told_to_have_ended_also_of_a_session_at_rest(
    house: House, lease: Lease
) -> None:
    ban = reasons.Failure(reason=reasons.ERROR_REASON_ACCOUNT_BANNED, message="The account is banned.")
    until = now() + AN_HOUR
    message_id = await house.send()
    await house.lines.changed(lease, LineChanged(LineState.BLOCKED, ban, banned_until_time=until))
    hold = (await house.shown(message_id)).hold
    assert (hold.kind, hold.until_time.ToSeconds()) == (HoldKind.KIND_RESTRICTION, int(until.timestamp()))
    await house.lines.stopped(lease)
    assert (await house.shown(message_id)).hold.kind == HoldKind.KIND_SESSION
    assert await restriction(house) == (Forbidden.KIND_BANNED, True)
    house.clock.ahead = AN_HOUR + A_MOMENT
    assert await house.restrictions.lift_ended() == 1
    assert (await told(house))[-1] == []


async def test_an_owner_that_lost_its_lease_forbids_nothing(house: House, lease: Lease) -> None:
    await house.leases.release(lease)
    before = await house.stored_log()
    with pytest.raises(LeaseLost):
        await house.restrictions.reachout(lease, LOCKED)
    assert await house.stored_log() == before
