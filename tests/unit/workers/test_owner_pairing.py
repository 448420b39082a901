"""Pairing: one attempt per session, whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.domain.errors import (
    NoSuchChallenge,
    OwnerUnavailable,
    PairingNotUnderWay,
    SessionAlreadyPaired,
    SessionNotFound,
    TooManyWatchers,
    WorkFailed,
)
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    PairingFailed,
    PasskeyWanted,
)
from gateway.domain.sessions import DesiredState, State
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.workers.crew import connected, in_state, never_paired, owned
from tests.unit.workers.scripted_provider import DEVICE
from tests.unit.workers.watchers import Stage, Watcher, waiting_for_a_person
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pb
from wagate.v1 import session_service_pb2 as session_pb

TIMED_OUT = reasons.Failure(reason=reasons.ERROR_REASON_PAIRING_TIMED_OUT, message="Nobody scanned a code.")


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    lease = await never_paired(house)
    async with waiting_for_a_person(house, lease) as it:
        yield it


async def steps(house: House) -> list[int]:
    """The steps that the log tells."""
    return [event.session_pairing.step for event in await house.log("session.pairing")]


async def test_a_watcher_sees_each_code_then_linked_then_connected_and_the_stream_ends(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show("2@one")
    await watcher.sees("code")
    await stage.show("2@two")
    await watcher.sees("code", "code")
    await stage.link()
    one, two, linked, last = await watcher.sees("code", "code", "linked", "connected")
    await watcher.ends()
    assert (one.code.text, two.code.text, two.code.codes_left) == ("2@one", "2@two", 5)
    assert linked.linked.lid == last.connected.lid == DEVICE.lid
    assert {frame.attempt_id for frame in watcher.frames} == {await stage.attempt()}
    assert (await stage.house.session()).state == State.STATE_CONNECTED


async def test_the_log_tells_every_step_and_never_a_code(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show("2@secret")
    await watcher.sees("code")
    await stage.line.tell(PasskeyWanted(await stage.attempt(), '{"challenge": "secret"}', "secret"))
    await stage.link()
    await watcher.ends()
    assert await steps(stage.house) == [1, 2, 3, 4]
    assert all(b"secret" not in stored.body for stored in await stage.house.stored_log())
    (shown, *_, connected) = await stage.house.log("session.pairing")
    assert shown.session_pairing.HasField("expire_time")
    assert connected.session_pairing.account.lid == DEVICE.lid


async def test_whoever_comes_late_first_gets_the_step_that_is_current(stage: Stage) -> None:
    early = stage.watch()
    for text in ("2@one", "2@two"):
        await stage.show(text)
    await early.sees("code", "code")
    late = stage.watch()
    (frame,) = await late.sees("code")
    assert frame.code.text == "2@two"
    await stage.link()
    await early.ends()
    await late.ends()
    assert early.frames[-2:] == late.frames[-2:]
    assert len(stage.line.attempts) == 1


async def test_two_who_ask_at_the_same_moment_watch_one_attempt(house: House) -> None:
    lease = await never_paired(house)
    watchers = [Watcher(house) for _ in range(5)]
    async with waiting_for_a_person(house, lease) as stage:
        stage.watchers += watchers
        await stage.show()
        for watcher in watchers:
            await watcher.sees("code")
        assert len(stage.line.attempts) == 1
        assert (await house.session()).state == State.STATE_PAIRING


async def test_the_ninth_watcher_is_refused_and_the_other_eight_go_on(stage: Stage) -> None:
    eight = [stage.watch() for _ in range(8)]
    await stage.show()
    for watcher in eight:
        await watcher.sees("code")
    with pytest.raises(TooManyWatchers):
        await stage.watch().ends()
    await stage.link()
    for watcher in eight:
        await watcher.ends()


async def test_the_attempt_outlives_its_watchers(stage: Stage) -> None:
    stage.watch().leave()
    watcher = stage.watch()
    await stage.show()
    await watcher.sees("code")
    watcher.leave()
    await stage.link()
    await in_state(stage.house, State.STATE_CONNECTED)
    assert await steps(stage.house) == [1, 3, 4]


async def test_an_attempt_of_the_other_sort_supersedes_the_one_under_way(stage: Stage) -> None:
    by_qr = stage.watch()
    await stage.show()
    await by_qr.sees("code")
    by_code = stage.watch("+4915100000001")
    await stage.show("ABCD-EFGH", attempt=2)
    (*_, failed) = await by_qr.sees("code", "failed")
    assert failed.failed.reason == reasons.ERROR_REASON_PAIRING_SUPERSEDED
    (code,) = await by_code.sees("code")
    assert code.code.text == "ABCD-EFGH"
    assert [number for _, number in stage.line.attempts] == ["", "+4915100000001"]
    await stage.show("2@late", attempt=1)
    await by_code.sees("code")


async def test_a_cancelled_attempt_fails_for_its_watchers_and_a_new_one_can_begin(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show()
    await watcher.sees("code")
    cancel = pb.CancelPairingRequest(session_id="sales")
    await stage.house.pairing.cancel(stage.house.call(), cancel)
    (*_, failed) = await watcher.sees("code", "failed")
    await watcher.ends()
    assert failed.failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED
    assert stage.line.canceled == 1
    with pytest.raises(PairingNotUnderWay):
        await stage.house.pairing.cancel(stage.house.call(), cancel)
    again = stage.watch()
    await stage.show(attempt=2)
    await again.sees("code")


async def test_an_attempt_that_fails_leaves_a_new_session_waiting_for_a_person(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.line.tell(PairingFailed(await stage.attempt(), TIMED_OUT))
    (failed,) = await watcher.sees("failed")
    assert failed.failed == TIMED_OUT
    session = await stage.house.session()
    assert session.failure is not None
    assert (session.state, session.failure.reason) == (State.STATE_PAIRING, reasons.ERROR_REASON_PAIRING_NEEDED)
    assert await steps(stage.house) == [5]


async def test_an_attempt_at_linking_anew_that_fails_leaves_the_session_logged_out(house: House, lease: Lease) -> None:
    await house.lines.logged_out(lease)
    async with waiting_for_a_person(house, lease) as stage:
        watcher = stage.watch()
        await stage.show()
        await in_state(house, State.STATE_PAIRING)
        await stage.line.tell(PairingFailed(await stage.attempt(), TIMED_OUT))
        await watcher.ends()
        assert (await house.session()).state == State.STATE_LOGGED_OUT


async def test_a_line_that_is_lost_ends_the_attempt_and_one_that_cannot_begin_is_none(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show()
    await watcher.sees("code")
    stage.line.hang_up()
    (*_, failed) = await watcher.sees("code", "failed")
    assert failed.failed.reason == reasons.ERROR_REASON_PAIRING_FAILED
    stage.line = await stage.house.provider.line(2)
    await stage.line.tell(LineChanged(LineState.UNLINKED))
    stage.house.provider.no_pairing = True
    with pytest.raises(OwnerUnavailable):
        await stage.watch().ends()
    stage.house.provider.no_pairing = False
    again = stage.watch()
    await stage.show("2@three")
    await again.sees("code")


async def test_a_stop_ends_the_attempt(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show()
    await watcher.sees("code")
    await stage.house.sessions.stop(stage.house.call(), session_pb.StopSessionRequest(session_id="sales"))
    (*_, failed) = await watcher.sees("code", "failed")
    assert failed.failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED
    await in_state(stage.house, State.STATE_STOPPED)


async def test_a_delete_ends_the_attempt(stage: Stage) -> None:
    watcher = stage.watch()
    await stage.show()
    await watcher.sees("code")
    await stage.house.sessions.delete(
        stage.house.call(), session_pb.DeleteSessionRequest(session_id="sales", force=True)
    )
    (*_, failed) = await watcher.sees("code", "failed")
    assert failed.failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED
    with pytest.raises(SessionNotFound):
        await stage.watch().ends()


async def test_a_code_to_type_is_answered_at_once_and_drawn_as_no_qr(stage: Stage) -> None:
    request = pb.RequestPairingCodeRequest(session_id="sales", phone_number="+4915100000001")
    asking = asyncio.create_task(stage.house.pairing.request_code(stage.house.call(), request))
    await stage.show("ABCD-EFGH")
    answer = await asking
    assert (answer.code.text, answer.attempt_id) == ("ABCD-EFGH", await stage.attempt())
    with pytest.raises(PairingNotUnderWay):
        await stage.house.pairing.qr(stage.house.call(), pb.GetPairingQrRequest(session_id="sales"))


async def test_a_code_that_cannot_be_had_fails_with_the_attempts_reason(stage: Stage) -> None:
    request = pb.RequestPairingCodeRequest(session_id="sales", phone_number="+4915100000001")
    asking = asyncio.create_task(stage.house.pairing.request_code(stage.house.call(), request))
    await stage.line.tell(PairingFailed(await stage.attempt(), TIMED_OUT))
    with pytest.raises(WorkFailed) as caught:
        await asking
    assert caught.value.reason == reasons.ERROR_REASON_PAIRING_TIMED_OUT


async def test_the_qr_is_drawn_as_asked_while_an_attempt_shows_one(stage: Stage) -> None:
    request = pb.GetPairingQrRequest(session_id="sales")
    with pytest.raises(PairingNotUnderWay):
        await stage.house.pairing.qr(stage.house.call(), request)
    watcher = stage.watch()
    await stage.show("2@code")
    await watcher.sees("code")
    drawings = []
    for form in pb.GetPairingQrRequest.Format.values():
        request.format = form
        answer = await stage.house.pairing.qr(stage.house.call(), request)
        assert answer.code.text == "2@code"
        drawings.append(answer.drawing)
    assert drawings[0] == b""
    assert drawings[1].startswith(b"\x89PNG")
    assert "█" in drawings[2].decode()


async def test_only_the_challenge_that_is_open_can_be_answered(stage: Stage) -> None:
    answer = pb.AnswerPairingChallengeRequest(session_id="sales", attempt_id="a_none", codes_agree=True)
    with pytest.raises(NoSuchChallenge):
        await stage.house.pairing.answer(stage.house.call(), answer)
    watcher = stage.watch()
    await stage.show()
    answer.attempt_id = await stage.attempt()
    with pytest.raises(NoSuchChallenge):
        await stage.house.pairing.answer(stage.house.call(), answer)
    await stage.line.tell(PasskeyWanted(await stage.attempt(), "{}", "1234"))
    (*_, passkey) = await watcher.sees("code", "passkey")
    assert passkey.passkey.confirmation_code == "1234"
    await stage.house.pairing.answer(stage.house.call(), answer)
    assert stage.line.answers == [answer]
    with pytest.raises(NoSuchChallenge):
        await stage.house.pairing.answer(stage.house.call(), answer)


async def test_a_session_that_is_linked_already_answers_connected_as_soon_as_it_is(house: House, lease: Lease) -> None:
    async with owned(house, lease):
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.OPENING))
        watcher = Watcher(house)
        await line.come_up()
        (frame,) = await watcher.sees("connected")
        await watcher.ends()
        assert (frame.attempt_id, frame.connected.id) == ("", (await house.session()).account_id)
    assert line.attempts == []


async def test_a_session_that_is_linked_already_is_given_no_code_whether_connected_or_not(
    house: House, lease: Lease
) -> None:
    request = pb.RequestPairingCodeRequest(session_id="sales", phone_number="+4915100000001")
    async with connected(house, lease):
        with pytest.raises(SessionAlreadyPaired):
            await house.pairing.request_code(house.call(), request)
    await house.lines.changed(lease, LineChanged(LineState.RECONNECTING))
    with pytest.raises(SessionAlreadyPaired):
        await house.pairing.request_code(house.call(), request)


async def test_who_waits_for_a_session_to_connect_is_shown_a_code_when_it_is_logged_out_instead(
    house: House, lease: Lease
) -> None:
    async with owned(house, lease):
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.RECONNECTING))
        stage = Stage(house, line)
        watcher = stage.watch()
        await line.tell(LineChanged(LineState.LOGGED_OUT))
        await stage.show()
        await watcher.sees("code")
        watcher.leave()


async def test_pairing_wants_a_session_that_was_stopped(house: House) -> None:
    lease = await never_paired(house)
    await house.sessions.stop(house.call(), session_pb.StopSessionRequest(session_id="sales"))
    watcher = Watcher(house)

    async def is_wanted() -> bool:
        return (await house.session()).desired_state == DesiredState.DESIRED_STATE_RUNNING

    await eventually(is_wanted)
    async with waiting_for_a_person(house, lease) as stage:
        stage.watchers.append(watcher)
        await stage.show()
        await watcher.sees("code")
    assert len(await house.log("session.updated")) == 2


async def test_without_an_owner_there_is_nothing_to_watch(house: House) -> None:
    await house.create()
    frames = house.pairing.pair(house.call(seconds=0.5), pb.PairSessionRequest(session_id="sales"))
    with pytest.raises(OwnerUnavailable) as caught:
        await anext(frames)
    assert caught.value.facts == {"session_id": "sales"}
    assert caught.value.retry_after is not None
