"""A session says truly where its line is; what is accepted meanwhile leaves once it is up again, in order."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from pathlib import Path

import grpc
from google.protobuf.duration_pb2 import Duration

from gateway.domain.leases import Lease
from gateway.observability import PrometheusMeter
from gateway.ports.provider import Opening
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider
from tests.acceptance.conftest import World
from tests.stage.lab import Kind, Lab
from tests.stage.persons import Person
from tests.stage.programs import built
from tests.stage.refusing import refused
from tests.stage.shop import PAIRED_WITHIN, Shop, State, reached
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, message_pb2, session_pb2, session_service_pb2

Fault = lab_service_pb2.SetFaultRequest.Fault
Status = session_pb2.SessionStatus
Message = message_pb2.Message

STATE_CHANGED = "session.state_changed"
TEXTS = ["one", "two", "three"]


async def cut(shop: Shop) -> None:
    """Cut the sockets of a shop's account."""
    await shop.lab.stub.DropConnections(lab_service_pb2.DropConnectionsRequest(phone_number=shop.phone_number))


async def becomes(events: Watch[event_pb2.Event], state: State.ValueType, *, within: float = PAIRED_WITHIN) -> Status:
    """Wait until a session is in a state; its status then."""
    return (await events.until(reached(state), within=within)).session_state_changed.status


async def accepted(
    shop: Shop, person: Person, hold: message_pb2.Hold.Kind.ValueType = message_pb2.Hold.KIND_SESSION
) -> list[Message]:
    """Three messages, accepted and held because of the session's state."""
    waiting = [await shop.accept(person.phone_number, text) for text in TEXTS]
    assert {(message.state, message.hold.kind) for message in waiting} == {(Message.STATE_QUEUED, hold)}
    return waiting


@asynccontextmanager
async def in_the_end_all_leave(person: Person) -> AsyncIterator[None]:
    """Whatever happens inside, the three messages accepted there arrive afterwards: once each, in order."""
    async with person.inbox() as inbox:
        yield
        assert [(await inbox.next(within=PAIRED_WITHIN)).text for _ in TEXTS] == TEXTS


def states_of(events: Sequence[event_pb2.Event]) -> list[str]:
    """The states that were told, without repeats."""
    told = [State.Name(event.session_state_changed.status.state).removeprefix("STATE_") for event in events]
    return [state for place, state in enumerate(told) if state not in told[max(0, place - 1) : place]]


def pause_after(event: event_pb2.Event) -> float:
    """Seconds from an event until the next attempt at connecting."""
    next_attempt = event.session_state_changed.status.next_attempt_time.ToDatetime(UTC)
    return (next_attempt - event.record_time.ToDatetime(UTC)).total_seconds()


async def test_a_line_that_does_not_answer_is_degraded_and_then_made_anew(impatient_world: World) -> None:
    lab, shop, ada = impatient_world.lab, await impatient_world.shop(), await impatient_world.lab.person("Ada")
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events, lab.oracle() as oracle:
        await lab.fault(shop.account, Fault(frozen=True))
        degraded = await becomes(events, State.STATE_DEGRADED)
        await accepted(shop, ada)
        lost = await becomes(events, State.STATE_RECONNECTING)
        login = await oracle.until(
            lambda entry: (entry.kind, entry.account) == (Kind.KIND_LOGIN, shop.phone_number), within=PAIRED_WITHIN
        )
        await becomes(events, State.STATE_CONNECTED)
    assert states_of(events.seen) == ["DEGRADED", "RECONNECTING", "CONNECTED"]
    assert degraded.failure.reason == lost.failure.reason == reasons.ERROR_REASON_LINE_UNRESPONSIVE
    assert lost.HasField("next_attempt_time")
    assert not degraded.HasField("next_attempt_time")
    assert events.seen[-1].record_time.ToDatetime() > login.time.ToDatetime(), "connected is told after the login"


async def test_a_line_that_answers_again_in_time_is_kept(impatient_world: World) -> None:
    lab, shop, ada = impatient_world.lab, await impatient_world.shop(), await impatient_world.lab.person("Ada")
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        await lab.fault(shop.account, Fault(frozen=True))
        await becomes(events, State.STATE_DEGRADED)
        await lab.fault(shop.account)
        for text in TEXTS:
            await shop.accept(ada.phone_number, text)
        connected = await becomes(events, State.STATE_CONNECTED)
    assert states_of(events.seen) == ["DEGRADED", "CONNECTED"]
    assert not connected.HasField("failure")


async def test_what_was_being_sent_when_the_line_died_leaves_before_what_came_after_it(impatient_world: World) -> None:
    lab, shop, ada = impatient_world.lab, await impatient_world.shop(), await impatient_world.lab.person("Ada")
    async with ada.inbox() as inbox, shop.events(STATE_CHANGED) as events:
        await lab.fault(shop.account, Fault(frozen=True))
        first = await shop.accept(ada.phone_number, "zero")
        await becomes(events, State.STATE_DEGRADED)
        await accepted(shop, ada)
        await becomes(events, State.STATE_CONNECTED)
        assert [(await inbox.next(within=PAIRED_WITHIN)).text for _ in range(4)] == ["zero", *TEXTS]
    assert inbox.seen[0].provider_message_id == first.provider_message_id


async def test_a_line_that_is_cut_is_made_anew_at_the_time_that_is_told(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        await cut(shop)
        lost = await becomes(events, State.STATE_RECONNECTING)
        for text in TEXTS:
            await shop.accept(ada.phone_number, text)
        connected = await becomes(events, State.STATE_CONNECTED)
    assert lost.failure.reason == reasons.ERROR_REASON_LINE_LOST
    assert lost.since_time.ToDatetime() < lost.next_attempt_time.ToDatetime() < connected.since_time.ToDatetime()
    assert not connected.HasField("failure")
    assert not connected.HasField("next_attempt_time")
    assert states_of(events.seen) == ["RECONNECTING", "CONNECTED"]


async def test_while_whatsapp_cannot_be_reached_the_pauses_grow_and_nothing_else_is_told(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        await world.lab.fault(shop.account, Fault(unreachable=True))
        await cut(shop)
        lost = [await events.until(reached(State.STATE_RECONNECTING), within=PAIRED_WITHIN)]
        await accepted(shop, ada)
        lost += [await events.until(reached(State.STATE_RECONNECTING), within=PAIRED_WITHIN) for _ in range(2)]
        assert states_of(events.seen) == ["RECONNECTING"]
        await world.lab.fault(shop.account)
        await becomes(events, State.STATE_CONNECTED)
    pauses = [pause_after(event) for event in lost]
    assert 0 < pauses[0] < pauses[1] < pauses[2]
    assert states_of(events.seen) == ["RECONNECTING", "CONNECTED"]


async def test_a_client_too_old_is_blocked_and_tried_again_at_once_when_it_is_started(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    start = session_service_pb2.StartSessionRequest(session_id=shop.session_id)
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        await world.lab.fault(shop.account, Fault(login_failure_code=405))
        await cut(shop)
        blocked = await becomes(events, State.STATE_BLOCKED)
        await accepted(shop, ada)
        await world.gateway.sessions.StartSession(start)
        await becomes(events, State.STATE_BLOCKED)
        assert "CONNECTED" not in states_of(events.seen)
        await world.lab.fault(shop.account)
        await world.gateway.sessions.StartSession(start)
        connected = await becomes(events, State.STATE_CONNECTED)
    assert (blocked.failure.reason, blocked.failure.provider_code) == (reasons.ERROR_REASON_CLIENT_OUTDATED, "405")
    assert not connected.HasField("failure")


async def test_an_account_that_is_banned_is_blocked_until_the_ban_is_over(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        await world.lab.fault(shop.account, Fault(login_failure_code=402, ban_duration=Duration(seconds=3)))
        await cut(shop)
        blocked = await becomes(events, State.STATE_BLOCKED)
        await accepted(shop, ada, message_pb2.Hold.KIND_RESTRICTION)
        await world.lab.fault(shop.account)
        connected = await becomes(events, State.STATE_CONNECTED)
    (ban,) = blocked.restrictions
    assert blocked.failure.reason == reasons.ERROR_REASON_ACCOUNT_BANNED
    assert ban.kind == session_pb2.Restriction.KIND_BANNED
    assert timedelta(seconds=2) < ban.until_time.ToDatetime() - blocked.since_time.ToDatetime() <= timedelta(seconds=3)
    assert connected.since_time.ToDatetime() >= ban.until_time.ToDatetime()
    assert not connected.restrictions


async def test_of_a_ban_that_says_no_end_none_is_shown(world: World) -> None:
    shop = await world.shop()
    async with shop.events(STATE_CHANGED) as events:
        await world.lab.fault(shop.account, Fault(login_failure_code=402))
        await cut(shop)
        (ban,) = (await becomes(events, State.STATE_BLOCKED)).restrictions
        assert (ban.kind, ban.HasField("until_time")) == (session_pb2.Restriction.KIND_BANNED, False)
    await world.lab.fault(shop.account)
    await shop.start()
    assert not (await shop.status()).restrictions


async def test_a_session_that_the_phone_unlinks_ends_what_waits_and_takes_nothing_more(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events(STATE_CHANGED, "message.status_changed") as events:
        await world.lab.fault(shop.account, Fault(unreachable=True))
        await cut(shop)
        await becomes(events, State.STATE_RECONNECTING)
        waiting = await accepted(shop, ada)
        await world.lab.unlink(shop.account)
        logged_out = await becomes(events, State.STATE_LOGGED_OUT)
    ended = [event.message_status_changed for event in events.seen if event.HasField("message_status_changed")]
    assert [change.message_id for change in ended] == [message.message_id for message in waiting]
    assert {(change.state, change.failure.reason) for change in ended} == {
        (Message.STATE_FAILED, reasons.ERROR_REASON_SESSION_LOGGED_OUT)
    }
    assert logged_out.failure.reason == reasons.ERROR_REASON_SESSION_LOGGED_OUT
    assert (logged_out.outbox_size, list(logged_out.capabilities)) == (0, [])
    with refused() as refusal:
        await shop.accept(ada.phone_number, "four")
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_LOGGED_OUT")


async def test_a_line_taken_away_by_a_second_client_is_blocked_until_it_is_started(
    world: World, tmp_path: Path
) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    get = session_service_pb2.GetSessionRequest(session_id=shop.session_id)
    uid = (await world.gateway.sessions.GetSession(get)).session.uid
    await shop.stop()
    shutil.copytree(world.gateway.folder / "data" / "sessions", tmp_path / "sessions")
    await shop.start()
    async with in_the_end_all_leave(ada), shop.events(STATE_CHANGED) as events:
        async with second_client(world.lab, tmp_path / "sessions", uid):
            blocked = await becomes(events, State.STATE_BLOCKED)
            await accepted(shop, ada)
        await shop.start()
    assert blocked.failure.reason == reasons.ERROR_REASON_SESSION_REPLACED
    assert states_of(events.seen)[0] == "BLOCKED"


@asynccontextmanager
async def second_client(lab: Lab, sessions_folder: Path, session_uid: str) -> AsyncIterator[None]:
    """Somebody else who has the keys of a session, and is connected with them."""
    told = lab.environment
    endpoint = LabEndpoint(
        told["WAGATE_LAB__ADDRESS"], told["WAGATE_LAB__ROOT_KEY_HEX"], Path(told["WAGATE_LAB__CA_FILE"])
    )
    opening = Opening(
        session_uid=session_uid,
        lease=Lease("default", session_uid, "somebody else", 1),
        remaining=timedelta(minutes=1),
        device=None,
        expected_phone_number="",
        push_name="",
    )
    options = EngineOptions(built("wagate-engine"), sessions_folder, endpoint)
    async with web_provider(options, PrometheusMeter()) as provider:
        line = await provider.open(opening)
        yield
        await line.close()
