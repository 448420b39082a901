"""A message whose answer was lost is UNCONFIRMED until a receipt, a repeat under its id, or a caller settles it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from google.protobuf.field_mask_pb2 import FieldMask

from tests.acceptance.conftest import World
from tests.stage.faults import drop
from tests.stage.lab import Kind, Lab
from tests.stage.persons import Person
from tests.stage.refusing import refused
from tests.stage.shop import Shop
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2, oracle_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, message_pb2, message_service_pb2, session_pb2, session_service_pb2

State = message_pb2.Message.State
HoldKind = message_pb2.Hold.Kind
OnAmbiguous = session_pb2.SessionSpec.OnAmbiguous
Fault = lab_service_pb2.SetFaultRequest.Fault

SETTLED_WITHIN = 30.0
"""Seconds for a login, the five that are waited after it, and an answer."""


@asynccontextmanager
async def shop_and_absent_person(world: World) -> AsyncIterator[tuple[Shop, Person, Watch[oracle_pb2.OracleEntry]]]:
    """A shop whose answers are lost, a person whose phone is off so that no receipt comes, and the lab's own log."""
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await ada.go(online=False)
    await world.lab.fault(shop.account, Fault(acks_lost=True))
    async with world.lab.oracle() as oracle:
        yield shop, ada, oracle


async def lose_the_answer(lab: Lab, shop: Shop, oracle: Watch[oracle_pb2.OracleEntry], message_id: str) -> None:
    """Cut the line of a shop once the lab has its message and before it answers; then nothing is wrong any more."""
    await oracle.until(lambda entry: (entry.kind, entry.account) == (Kind.KIND_ACCEPTED, shop.phone_number))
    async with shop.watch(message_id) as watch:
        await drop(lab, shop.account)
        await watch.until(lambda message: message.state == State.STATE_UNCONFIRMED)
    await lab.fault(shop.account)


def copies(oracle: Watch[oracle_pb2.OracleEntry], message: message_pb2.Message) -> int:
    """How often the lab was handed a message."""
    name = message.provider_message_id
    return sum(entry.kind == Kind.KIND_ACCEPTED and entry.provider_message_id == name for entry in oracle.seen)


async def settled(shop: Shop, message: message_pb2.Message) -> message_pb2.Message:
    """A message once it is sent."""
    async with shop.watch(message.message_id) as watch:
        return await watch.until(lambda shown: shown.state == State.STATE_SENT, within=SETTLED_WITHIN)


def states_of(events: Watch[event_pb2.Event], message: message_pb2.Message) -> list[str]:
    """The states that were told of a message."""
    told = [event.message_status_changed for event in events.seen if event.HasField("message_status_changed")]
    return [State.Name(one.state)[6:] for one in told if one.message_id == message.message_id]


async def test_what_nobody_confirmed_is_repeated_under_its_id_and_holds_back_its_chat_alone(world: World) -> None:
    async with shop_and_absent_person(world) as (shop, ada, oracle):
        bob = await world.lab.person("Bob")
        async with shop.events("message.status_changed") as events:
            first = await shop.accept(ada.phone_number, "first")
            await lose_the_answer(world.lab, shop, oracle, first.message_id)
            behind = await shop.accept(ada.phone_number, "behind")
            other = await settled(shop, await shop.accept(bob.phone_number, "other"))
            waits = await shop.message(behind.message_id)
            assert (waits.state, waits.hold.kind) == (State.STATE_QUEUED, HoldKind.KIND_UNCONFIRMED)
            message, last = await settled(shop, first), await settled(shop, behind)
        assert states_of(events, first) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]
        assert (message.attempt_count, copies(oracle, first), copies(oracle, behind)) == (2, 2, 1)
        assert not message.HasField("hold")
        assert other.send_time.ToDatetime() <= last.send_time.ToDatetime()


async def test_a_receipt_settles_what_nobody_confirmed_and_it_is_not_repeated(world: World) -> None:
    async with shop_and_absent_person(world) as (shop, ada, oracle):
        async with shop.events("message.status_changed") as events:
            accepted = await shop.accept(ada.phone_number, "hello")
            await lose_the_answer(world.lab, shop, oracle, accepted.message_id)
            await ada.go(online=True)
            await events.until(lambda event: event.message_status_changed.reach.delivered_count == 1)
            behind = await settled(shop, await shop.accept(ada.phone_number, "behind"))
        assert states_of(events, accepted)[:3] == ["SENDING", "UNCONFIRMED", "SENT"]
        assert (copies(oracle, accepted), behind.attempt_count) == (1, 1)


async def held(world: World, shop: Shop, to: Person, oracle: Watch[oracle_pb2.OracleEntry]) -> message_pb2.Message:
    """A message of which nobody knows whether it left, in a session that wants to decide that itself."""
    wish = session_pb2.Session(session_id=shop.session_id)
    wish.spec.on_ambiguous = OnAmbiguous.ON_AMBIGUOUS_HOLD
    request = session_service_pb2.UpdateSessionRequest(session=wish, update_mask=FieldMask(paths=["spec.on_ambiguous"]))
    updated = (await world.gateway.sessions.UpdateSession(request)).session
    assert updated.spec.on_ambiguous == OnAmbiguous.ON_AMBIGUOUS_HOLD
    accepted = await shop.accept(to.phone_number, "hello")
    await lose_the_answer(world.lab, shop, oracle, accepted.message_id)
    message = await shop.message(accepted.message_id)
    assert (message.state, message.hold.kind) == (State.STATE_UNCONFIRMED, HoldKind.KIND_UNCONFIRMED)
    return message


async def test_a_session_may_want_that_nothing_is_repeated_unasked(world: World) -> None:
    async with shop_and_absent_person(world) as (shop, ada, oracle):
        message = await held(world, shop, ada, oracle)
        behind = await shop.accept(ada.phone_number, "behind")
        retry = message_service_pb2.RetryMessageRequest(session_id=shop.session_id, message_id=message.message_id)
        again = (await world.gateway.messages.RetryMessage(retry)).message
        assert (again.message_id, again.state) == (message.message_id, State.STATE_UNCONFIRMED)
        assert not again.HasField("hold")
        with refused() as refusal:
            await world.gateway.messages.RetryMessage(retry)
        assert refusal.reason == "MESSAGE_NOT_RETRYABLE"
        sent, last = await settled(shop, message), await settled(shop, behind)
        assert (sent.attempt_count, last.attempt_count, copies(oracle, message)) == (2, 1, 2)


async def test_whoever_waits_for_word_of_a_message_can_stop_waiting_and_the_chat_goes_on(world: World) -> None:
    async with shop_and_absent_person(world) as (shop, ada, oracle):
        message = await held(world, shop, ada, oracle)
        behind = await shop.accept(ada.phone_number, "behind")
        cancel = message_service_pb2.CancelMessageRequest(session_id=shop.session_id, message_id=message.message_id)
        ended = (await world.gateway.messages.CancelMessage(cancel)).message
        assert (ended.state, ended.failure.reason) == (State.STATE_FAILED, reasons.ERROR_REASON_NEVER_CONFIRMED)
        await settled(shop, behind)
        await ada.go(online=True)
        async with shop.watch(message.message_id) as watch:
            shown = await watch.next()
        assert (shown.state, copies(oracle, message)) == (State.STATE_FAILED, 1)
