from datetime import timedelta

import pytest

from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import LinkedDevice, State
from tests.unit.services.house import House
from tests.unit.services.telling import now
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_pb2

BLOCKED = LineChanged(
    LineState.BLOCKED, reasons.Failure(reason=reasons.ERROR_REASON_ACCOUNT_BANNED, message="The account is banned.")
)


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (LineState.OPENING, State.STATE_STARTING),
        (LineState.CONNECTED, State.STATE_CONNECTED),
        (LineState.DEGRADED, State.STATE_DEGRADED),
        (LineState.RECONNECTING, State.STATE_RECONNECTING),
        (LineState.LOGGED_OUT, State.STATE_LOGGED_OUT),
        (LineState.UNLINKED, State.STATE_LOGGED_OUT),
        (LineState.BLOCKED, State.STATE_BLOCKED),
    ],
)
async def test_where_the_line_of_a_linked_session_is_is_told_once_as_the_sessions_state(
    house: House, lease: Lease, line: LineState, state: State.ValueType
) -> None:
    await house.lines.changed(lease, LineChanged(LineState.DEGRADED if line is LineState.CONNECTED else line))
    before, told = await house.session(), await house.newest()
    session = await house.lines.changed(lease, LineChanged(line))
    assert await house.lines.changed(lease, LineChanged(line)) == session
    assert session.state == state
    changes = await house.log("session.state_changed", after=told)
    assert len(changes) == (before.state != state)
    assert session.revision == before.revision + len(changes)


async def test_a_session_that_was_never_linked_waits_for_a_person(house: House) -> None:
    await house.create()
    (lease,) = await house.leases.claim("w_test", limit=1, ttl=timedelta(days=1))
    session = await house.lines.changed(lease, LineChanged(LineState.UNLINKED))
    assert session.failure is not None
    assert (session.state, session.failure.reason) == (State.STATE_PAIRING, reasons.ERROR_REASON_PAIRING_NEEDED)


async def test_a_device_whose_keys_are_gone_is_forgotten_so_that_the_session_can_be_paired_again(
    house: House, lease: Lease
) -> None:
    message_id = await house.send()
    session = await house.lines.changed(lease, LineChanged(LineState.UNLINKED))
    assert (session.state, session.device) == (State.STATE_LOGGED_OUT, None)
    assert (await house.message(message_id)).state == MessageState.STATE_FAILED


async def test_a_session_that_is_being_paired_anew_is_not_told_as_logged_out_by_a_line_that_just_opened(
    house: House, lease: Lease
) -> None:
    await house.lines.logged_out(lease)
    await house.lines.pairing(lease)
    for state in (LineState.OPENING, LineState.UNLINKED):
        session = await house.lines.changed(lease, LineChanged(state))
        assert session.state == State.STATE_PAIRING


@pytest.mark.parametrize("line", [LineState.OPENING, LineState.RECONNECTING, LineState.DEGRADED, LineState.UNLINKED])
async def test_a_session_that_is_logged_out_stays_so_until_it_is_linked_anew(
    house: House, lease: Lease, line: LineState
) -> None:
    before = await house.lines.logged_out(lease)
    told = await house.newest()
    assert await house.lines.changed(lease, LineChanged(line)) == before
    assert await house.newest() == told
    device = LinkedDevice("1:2@s.whatsapp.net", "99@lid", "+4915100000001")
    assert (await house.lines.linked(lease, device, "Shop")).state == State.STATE_STARTING


async def test_who_is_linked_is_an_identity_of_the_tenant_and_stays_after_a_logout(house: House, lease: Lease) -> None:
    linked = await house.session()
    account = await house.whose(linked.account_id)
    assert account is not None
    assert linked.device is not None
    assert (account.lid, account.phone_number) == (linked.device.lid, linked.device.phone_number)
    logged_out = await house.lines.logged_out(lease)
    assert (logged_out.device, logged_out.account_id) == (None, linked.account_id)


async def test_a_logout_ends_what_waited_with_its_reason_and_is_told_once(house: House, lease: Lease) -> None:
    queued, sending = await house.send(to="+4915100000011"), await house.send(to="+4915100000012")
    await house.outbox.begin(lease, sending)
    for _ in range(2):
        await house.lines.logged_out(lease)
    for message_id in (queued, sending):
        message = await house.message(message_id)
        assert message.failure is not None
        assert (message.state, message.failure.reason) == (
            MessageState.STATE_FAILED,
            reasons.ERROR_REASON_SESSION_LOGGED_OUT,
        )
    changes = await house.log("session.state_changed")
    assert [change.session_state_changed.status.state for change in changes].count(State.STATE_LOGGED_OUT) == 1
    assert changes[-1].session_state_changed.status.outbox_size == 0


async def test_a_ban_stands_beside_the_state_until_the_line_is_up_again(house: House, lease: Lease) -> None:
    until = now() + timedelta(hours=2)
    banned = LineChanged(LineState.BLOCKED, BLOCKED.failure, banned_until_time=until)
    await house.lines.changed(lease, banned)
    await house.lines.changed(lease, LineChanged(LineState.RECONNECTING, next_attempt_time=until))
    (*_, event) = await house.log("session.state_changed")
    (restriction,) = event.session_state_changed.status.restrictions
    assert restriction.kind == session_pb2.Restriction.KIND_BANNED
    assert restriction.until_time.ToSeconds() == int(until.timestamp())
    await house.lines.changed(lease, LineChanged(LineState.CONNECTED))
    (*_, event) = await house.log("session.state_changed")
    assert not event.session_state_changed.status.restrictions


async def test_every_change_tells_the_state_before_and_since_when(house: House, lease: Lease) -> None:
    before = await house.session()
    session = await house.lines.changed(lease, LineChanged(LineState.DEGRADED))
    (*_, event) = await house.log("session.state_changed")
    change = event.session_state_changed
    assert (change.previous_state, change.status.state) == (before.state, session.state)
    assert change.status.revision == session.revision
    assert session.since_time >= before.since_time


@pytest.mark.parametrize("step", ["stopping", "stopped", "starting"])
async def test_taking_a_line_down_or_up_is_told_but_for_a_session_that_is_logged_out(
    house: House, lease: Lease, step: str
) -> None:
    session = await getattr(house.lines, step)(lease)
    assert State.Name(session.state) == "STATE_" + step.upper()
    await house.lines.logged_out(lease)
    assert (await getattr(house.lines, step)(lease)).state == State.STATE_LOGGED_OUT


async def test_an_owner_that_lost_its_lease_or_whose_session_is_deleted_tells_nothing(
    house: House, lease: Lease
) -> None:
    await house.leases.release(lease)
    before = await house.stored_log()
    for writing in (
        house.lines.changed(lease, BLOCKED),
        house.lines.pairing(lease),
        house.lines.stopped(lease),
        house.lines.logged_out(lease),
        house.lines.look(lease),
    ):
        with pytest.raises(LeaseLost):
            await writing
    assert await house.stored_log() == before


async def test_sessions_whose_process_is_gone_say_so_and_others_stay_as_they_are(house: House, lease: Lease) -> None:
    await house.lines.changed(lease, LineChanged(LineState.CONNECTED))
    await house.create("resting")
    resting, told = await house.session("resting"), await house.newest()
    for _ in range(2):
        await house.lines.all_lost()
    session = await house.session()
    assert session.failure is not None
    assert (session.state, session.failure.reason) == (State.STATE_RECONNECTING, reasons.ERROR_REASON_LINE_LOST)
    assert await house.session("resting") == resting
    assert len(await house.log("session.state_changed", after=told)) == 1
