import asyncio

import pytest

from gateway.domain.errors import (
    EtagMismatch,
    ProviderUnknown,
    RequestIdReused,
    SessionExists,
    SessionNeverPaired,
    SessionNotFound,
    SessionNotStopped,
    ValidationFailed,
)
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import DesiredState, OnAmbiguous, State
from gateway.ports.queue import FLEET, wish_bell
from gateway.services.lines import LINE_LOST
from tests.unit.services.house import House
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_pb2 as resource
from wagate.v1 import session_service_pb2 as pb

RUNNING, STOPPED = DesiredState.DESIRED_STATE_RUNNING, DesiredState.DESIRED_STATE_STOPPED


def named(session_id: str = "sales", **fields: object) -> resource.Session:
    return resource.Session(session_id=session_id, **fields)  # type: ignore[arg-type]


async def created(house: House, **fields: object) -> resource.Session:
    request = pb.CreateSessionRequest(session=named(**fields))  # type: ignore[arg-type]
    return (await house.sessions.create(house.call(), request)).session


async def updated(house: House, wish: resource.Session, *paths: str, dry: bool = False) -> resource.Session:
    request = pb.UpdateSessionRequest(session=wish, validate_only=dry)
    request.update_mask.paths.extend(paths)
    return (await house.sessions.update(house.call(), request)).session


async def test_a_new_session_is_wanted_linked_to_nothing_and_told(house: House) -> None:
    session = await created(house, display_name="Sales", metadata={"team": "a"})
    assert (session.spec.provider, session.spec.desired_state) == ("web", RUNNING)
    assert (session.status.state, session.status.HasField("account")) == (State.STATE_STARTING, False)
    (event,) = await house.log("session.created")
    assert event.session_created.session == session
    assert (event.session_uid, event.correlation_id) == (session.uid, "c-1")


async def test_a_session_without_an_id_is_given_one_that_can_stand_in_a_path(house: House) -> None:
    request = pb.CreateSessionRequest()
    made = [(await house.sessions.create(house.call(), request)).session.session_id for _ in range(2)]
    assert len(set(made)) == 2
    assert all(one.startswith("session-") and len(one) <= 63 for one in made)


async def test_an_id_is_taken_once_in_a_tenant_and_free_in_another(house: House) -> None:
    await created(house)
    with pytest.raises(SessionExists) as caught:
        await created(house)
    assert caught.value.facts == {"session_id": "sales"}
    request = pb.CreateSessionRequest(session=named())
    other = await house.sessions.create(house.call(tenant="other"), request)
    assert other.session.session_id == "sales"
    listed = await house.sessions.list(house.call(), pb.ListSessionsRequest())
    assert other.session.uid not in {session.uid for session in listed.sessions}


async def test_an_unknown_provider_is_refused_by_name(house: House) -> None:
    with pytest.raises(ProviderUnknown) as caught:
        await created(house, spec=resource.SessionSpec(provider="pigeon"))
    assert caught.value.facts == {"provider": "pigeon"}


async def test_one_request_id_created_ten_times_at_once_is_one_session(house: House) -> None:
    request = pb.CreateSessionRequest(request_id="r-1")
    answers = await asyncio.gather(*(house.sessions.create(house.call(), request) for _ in range(10)))
    assert len({answer.session.uid for answer in answers}) == 1
    assert sum(answer.repeated_request for answer in answers) == 9
    request.session.display_name = "Another"
    with pytest.raises(RequestIdReused):
        await house.sessions.create(house.call(), request)


async def test_what_is_only_validated_is_not_created(house: House) -> None:
    request = pb.CreateSessionRequest(session=named(), validate_only=True, request_id="r-1")
    answer = await house.sessions.create(house.call(), request)
    assert (answer.session.session_id, answer.session.uid, answer.session.HasField("status")) == ("sales", "", False)
    assert await house.stored_log() == []
    await created(house)
    with pytest.raises(SessionExists):
        await house.sessions.create(house.call(), request)


@pytest.mark.parametrize("told", [LineState.CONNECTED, LineState.DEGRADED])
async def test_a_session_whose_owner_is_gone_has_no_line_whatever_that_owner_said_last(
    house: House, lease: Lease, told: LineState
) -> None:
    lost = LINE_LOST if told is LineState.DEGRADED else None
    await house.lines.changed(lease, LineChanged(told, lost))
    request = pb.GetSessionRequest(session_id="sales")
    said = (await house.sessions.get(house.call(), request)).session.status
    await house.leases.release(lease)
    shown = (await house.sessions.get(house.call(), request)).session.status
    assert (said.state, shown.state) == ((await house.session()).state, State.STATE_STARTING)
    assert not shown.HasField("failure")


async def test_pages_hold_every_session_once_in_the_order_of_their_ids(house: House) -> None:
    for name in ("c", "a", "b", "e", "d"):
        await house.create(name)
    request, listed = pb.ListSessionsRequest(page_size=2), []
    while True:
        page = await house.sessions.list(house.call(), request)
        listed += [session.session_id for session in page.sessions]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert listed == ["a", "b", "c", "d", "e"]


async def test_a_list_shows_sessions_in_the_states_that_are_asked_for(house: House, lease: Lease) -> None:
    del lease
    await house.create("new")
    request = pb.ListSessionsRequest(states=[State.STATE_CONNECTED])
    assert [one.session_id for one in (await house.sessions.list(house.call(), request)).sessions] == ["sales"]


async def test_a_mask_changes_what_it_names_and_nothing_else(house: House) -> None:
    before = await created(house, display_name="Sales", metadata={"team": "a"})
    after = await updated(house, named(display_name="Shop", metadata={"team": "b"}), "display_name")
    assert (after.display_name, dict(after.metadata)) == ("Shop", {"team": "a"})
    assert after.etag != before.etag
    (event,) = await house.log("session.updated")
    assert event.session_updated.session == after


async def test_a_mask_can_empty_what_it_names(house: House) -> None:
    spec = resource.SessionSpec(expected_phone_number="+4915112345678")
    await created(house, display_name="Sales", metadata={"team": "a"}, spec=spec)
    after = await updated(house, named(), "display_name", "metadata", "spec.expected_phone_number")
    assert (after.display_name, dict(after.metadata), after.spec.expected_phone_number) == ("", {}, "")


async def test_without_a_mask_everything_that_is_set_is_changed(house: House) -> None:
    await created(house, display_name="Sales", metadata={"team": "a"})
    after = await updated(house, named(metadata={"team": "b"}))
    assert (after.display_name, dict(after.metadata)) == ("Sales", {"team": "b"})


@pytest.mark.parametrize("path", ["spec.provider", "spec.desired_state", "spec", "status", "session_id", "*", ""])
async def test_nothing_else_can_be_changed_by_a_mask(house: House, path: str) -> None:
    before = await created(house)
    with pytest.raises(ValidationFailed) as caught:
        await updated(house, named(display_name="Shop"), "display_name", path)
    assert caught.value.violations[0].field == "update_mask"
    assert (await house.session()).etag == before.etag


async def test_an_etag_that_is_not_the_present_one_changes_nothing(house: House) -> None:
    first = await created(house)
    second = await updated(house, named(display_name="Shop", etag=first.etag))
    with pytest.raises(EtagMismatch) as caught:
        await updated(house, named(display_name="Store", etag=first.etag))
    assert caught.value.facts == {"etag": second.etag}
    assert (await house.session()).display_name == "Shop"


async def test_what_changes_nothing_is_no_news_and_leaves_the_etag(house: House) -> None:
    before = await created(house, display_name="Sales")
    await updated(house, named(display_name="Sales"))
    await house.sessions.start(house.call(), pb.StartSessionRequest(session_id="sales"))
    await house.sessions.restart(house.call(), pb.RestartSessionRequest(session_id="sales"))
    after = (await house.sessions.get(house.call(), pb.GetSessionRequest(session_id="sales"))).session
    assert (after.etag, after.update_time) == (before.etag, before.update_time)
    assert await house.log("session.updated") == []
    await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))
    assert len(await house.log("session.updated")) == 1


async def test_what_is_only_validated_is_not_changed(house: House) -> None:
    before = await created(house)
    after = await updated(house, named(display_name="Shop"), dry=True)
    assert (after.display_name, after.etag, after.update_time) == ("Shop", before.etag, before.update_time)
    assert (await house.session()).etag == before.etag
    assert await house.log("session.updated") == []


async def test_stop_and_start_store_what_is_wanted_and_wake_who_carries_it_out(house: House, lease: Lease) -> None:
    with house.queue.listen(FLEET) as fleet, house.queue.listen(wish_bell(lease.session_uid)) as owner:
        stopped = (await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))).session
        assert await fleet.heard(5)
        assert await owner.heard(5)
    assert (stopped.spec.desired_state, stopped.status.state) == (STOPPED, State.STATE_CONNECTED)
    started = (await house.sessions.start(house.call(), pb.StartSessionRequest(session_id="sales"))).session
    assert started.spec.desired_state == RUNNING


async def test_a_blocked_session_is_tried_again_at_once_when_it_is_started(house: House, lease: Lease) -> None:
    start = pb.StartSessionRequest(session_id="sales")
    await house.sessions.start(house.call(), start)
    assert (await house.session()).restarts == 0
    await house.lines.changed(lease, LineChanged(LineState.BLOCKED))
    await house.sessions.start(house.call(), start)
    assert (await house.session()).restarts == 1


async def test_a_restart_wants_the_line_anew_and_a_repeat_of_it_no_further_one(house: House, lease: Lease) -> None:
    del lease
    request = pb.RestartSessionRequest(session_id="sales", request_id="r-1")
    assert not (await house.sessions.restart(house.call(), request)).repeated_request
    assert (await house.sessions.restart(house.call(), request)).repeated_request
    session = await house.session()
    assert (session.restarts, session.desired_state) == (1, RUNNING)


async def test_only_what_was_paired_can_be_logged_out(house: House, lease: Lease) -> None:
    del lease
    await house.create("new")
    with pytest.raises(SessionNeverPaired):
        await house.sessions.logout(house.call(), pb.LogoutSessionRequest(session_id="new"))
    await house.sessions.logout(house.call(), pb.LogoutSessionRequest(session_id="sales"))
    session = await house.session()
    assert (session.desired_state, session.logout_wanted) == (STOPPED, True)


async def test_a_session_that_runs_is_deleted_by_force_alone(house: House, lease: Lease) -> None:
    del lease
    with pytest.raises(SessionNotStopped) as caught:
        await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="sales"))
    assert caught.value.facts == {"session_id": "sales", "state": "STATE_CONNECTED"}
    await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="sales", force=True))
    with pytest.raises(SessionNotFound):
        await house.sessions.get(house.call(), pb.GetSessionRequest(session_id="sales"))


async def test_with_a_session_ends_what_waited_and_that_is_told_before_its_own_end(house: House, lease: Lease) -> None:
    del lease
    waiting = [await house.send(to=to) for to in ("+4915100000011", "+4915100000011", "+4915100000012")]
    await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="sales", force=True))
    for message_id in waiting:
        message = await house.message(message_id)
        assert message.failure is not None
        assert message.state == MessageState.STATE_FAILED
        assert message.failure.reason == reasons.ERROR_REASON_SESSION_DELETED
    log = await house.log()
    assert [event.kind for event in log[-4:]] == [*["message.status_changed"] * 3, "session.deleted"]
    assert [message.message_id for message in await house.all_messages()] == waiting


async def test_a_repeated_delete_says_so_though_there_is_a_new_session_of_that_id(house: House) -> None:
    first = await house.create()
    request = pb.DeleteSessionRequest(session_id="sales", force=True, request_id="r-1")
    assert not (await house.sessions.delete(house.call(), request)).repeated_request
    second = await house.create()
    assert (await house.sessions.delete(house.call(), request)).repeated_request
    assert (await house.session()).uid == second.uid != first.uid


async def test_a_session_of_nobody_is_not_found_by_any_call(house: House) -> None:
    for calling in (
        house.sessions.get(house.call(), pb.GetSessionRequest(session_id="nowhere")),
        house.sessions.start(house.call(), pb.StartSessionRequest(session_id="nowhere")),
        house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="nowhere")),
        house.sessions.update(house.call(), pb.UpdateSessionRequest(session=named("nowhere"))),
    ):
        with pytest.raises(SessionNotFound) as caught:
            await calling
        assert caught.value.facts == {"session_id": "nowhere"}


async def test_every_event_of_a_session_is_counted_without_a_gap(house: House, lease: Lease) -> None:
    await house.send()
    await house.lines.changed(lease, LineChanged(LineState.RECONNECTING))
    await house.sessions.stop(house.call(), pb.StopSessionRequest(session_id="sales"))
    log = [stored for stored in await house.stored_log() if stored.session_uid == lease.session_uid]
    assert [stored.sequence for stored in log] == list(range(1, len(log) + 1))


async def test_what_is_done_about_lost_answers_is_repeating_unless_a_caller_wants_otherwise(house: House) -> None:
    hold, repeat = OnAmbiguous.ON_AMBIGUOUS_HOLD, OnAmbiguous.ON_AMBIGUOUS_REPEAT
    assert (await house.create()).on_ambiguous == repeat
    wish = named()
    wish.spec.on_ambiguous = hold
    before = await house.session()
    assert (await updated(house, wish)).spec.on_ambiguous == hold
    assert (await house.session()).etag != before.etag
    assert (await updated(house, named(display_name="Shop"))).spec.on_ambiguous == hold
    assert (await updated(house, named(), "spec.on_ambiguous")).spec.on_ambiguous == repeat
    created = pb.CreateSessionRequest(session=resource.Session(session_id="careful", spec=wish.spec))
    assert (await house.sessions.create(house.call(), created)).session.spec.on_ambiguous == hold
