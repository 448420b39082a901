"""What WhatsApp forbids an account for a time is shown, holds what it forbids and nothing else, and ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.conftest import World
from tests.stage.faults import ban, lift_restrictions, lock_reachout
from tests.stage.persons import Person
from tests.stage.shop import PAIRED_WITHIN, Shop
from tests.stage.watching import Watch
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, message_pb2, session_pb2

State = message_pb2.Message.State
SessionState = session_pb2.SessionStatus.State
HoldKind = message_pb2.Hold.Kind
Forbidden = session_pb2.Restriction.Kind
Fault = lab_service_pb2.SetFaultRequest.Fault

STATE_CHANGED = "session.state_changed"
A_WHILE = timedelta(seconds=3)


async def shop_with_a_known_chat(world: World) -> tuple[Shop, Person, Person]:
    """A shop, Ada who wrote to it, and Bob who did not."""
    shop, ada, bob = await world.shop(), await world.lab.person("Ada"), await world.lab.person("Bob")
    async with shop.events("message.received") as events:
        await ada.say(shop.phone_number, "are you there?")
        await events.next()
    return shop, ada, bob


async def restricted(events: Watch[event_pb2.Event], *kinds: Forbidden.ValueType) -> session_pb2.SessionStatus:
    """Wait until a session tells that this is forbidden, and nothing else; its status then."""
    event = await events.until(
        lambda event: [one.kind for one in event.session_state_changed.status.restrictions] == list(kinds),
        within=PAIRED_WITHIN,
    )
    return event.session_state_changed.status


async def sent(shop: Shop, message: message_pb2.Message) -> message_pb2.Message:
    """A message once WhatsApp has it."""
    async with shop.watch(message.message_id) as watch:
        return await watch.until(lambda shown: shown.state == State.STATE_SENT)


async def test_an_account_that_may_not_write_to_new_people_goes_on_with_those_it_knows(world: World) -> None:
    shop, ada, bob = await shop_with_a_known_chat(world)
    async with shop.events(STATE_CHANGED) as events:
        until = await lock_reachout(world.lab, shop.account, A_WHILE)
        told = await restricted(events, Forbidden.KIND_REACHOUT)
        new = await shop.accept(bob.phone_number, "we have not met")
        assert (await sent(shop, await shop.accept(ada.phone_number, "yes"))).attempt_count == 1
        waiting = await shop.message(new.message_id)
        over = await restricted(events)
        at_last = await sent(shop, new)
    (lock,) = told.restrictions
    assert until is not None
    assert told.state == over.state == SessionState.STATE_CONNECTED
    assert abs(lock.until_time.ToDatetime(UTC) - until) <= timedelta(seconds=1)
    for held in (new, waiting):
        assert (held.state, held.hold.kind) == (State.STATE_QUEUED, HoldKind.KIND_RESTRICTION)
        assert held.hold.until_time == lock.until_time
    assert (at_last.attempt_count, at_last.HasField("hold")) == (1, False)
    assert at_last.send_time.ToDatetime(UTC) >= lock.until_time.ToDatetime(UTC) - timedelta(seconds=1)


async def test_a_refused_beginning_of_a_chat_fails_and_keeps_the_next_one_from_the_same_end(world: World) -> None:
    shop, ada, bob = await shop_with_a_known_chat(world)
    await world.lab.fault(shop.account, Fault(refuse_code=463, refuse_count=1))
    async with shop.events(STATE_CHANGED, "message.status_changed") as events:
        first = await shop.accept(bob.phone_number, "we have not met")
        failed = await events.until(lambda event: event.message_status_changed.state == State.STATE_FAILED)
        assert failed.message_status_changed.failure.reason == reasons.ERROR_REASON_REACHOUT_RESTRICTED
        (lock,) = (await restricted(events, Forbidden.KIND_REACHOUT)).restrictions
        assert not lock.HasField("until_time"), "WhatsApp did not say"
        second = await shop.accept((await world.lab.person("Carol")).phone_number, "nor have we")
        await sent(shop, await shop.accept(ada.phone_number, "yes"))
        held = await shop.message(second.message_id)
        assert (held.hold.kind, held.attempt_count) == (HoldKind.KIND_RESTRICTION, 0)
        await lock_reachout(world.lab, shop.account)
        await lift_restrictions(world.lab, shop.account)
        await restricted(events)
        await sent(shop, second)
    assert (await shop.message(first.message_id)).state == State.STATE_FAILED


async def test_a_banned_account_says_so_at_once_holds_everything_and_comes_back_by_itself(world: World) -> None:
    shop, ada, _ = await shop_with_a_known_chat(world)
    async with shop.events(STATE_CHANGED) as events:
        until = await ban(world.lab, shop.account, A_WHILE)
        told = await restricted(events, Forbidden.KIND_BANNED)
        waiting = await shop.accept(ada.phone_number, "after that")
        over = await restricted(events)
        assert (await sent(shop, waiting)).attempt_count == 1
    (forbidden,) = told.restrictions
    assert (told.state, told.failure.reason) == (SessionState.STATE_BLOCKED, reasons.ERROR_REASON_ACCOUNT_BANNED)
    assert abs(forbidden.until_time.ToDatetime(UTC) - until) <= timedelta(seconds=2)
    assert (waiting.hold.kind, waiting.hold.until_time) == (HoldKind.KIND_RESTRICTION, forbidden.until_time)
    assert datetime.now(UTC) >= until
    assert over.since_time.ToDatetime(UTC) >= told.since_time.ToDatetime(UTC)
