"""A text goes out, and how far it got is told step by step."""

from collections.abc import Callable

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import content_pb2, event_pb2, message_pb2
from wagate.v1 import error_reason_pb2 as reasons

State = message_pb2.Message.State
Level = message_pb2.Reach.Level
Fault = lab_service_pb2.SetFaultRequest.Fault


def is_in(
    state: State.ValueType, level: Level.ValueType = Level.LEVEL_UNSPECIFIED
) -> Callable[[event_pb2.Event], bool]:
    """Whether an event tells that a message is in a state, and got so far."""

    def told(event: event_pb2.Event) -> bool:
        changed = event.message_status_changed
        return changed.state == state and changed.reach.furthest == level

    return told


async def test_accepted_sent_delivered_and_read_are_told_in_order(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.*") as events, ada.inbox() as inbox:
        accepted = await shop.accept(ada.phone_number, "hello", metadata={"order": "17"}, request_id="first")
        assert accepted.state == State.STATE_QUEUED
        received = await inbox.next()
        await ada.read(received)
        await events.until(is_in(State.STATE_SENT, Level.LEVEL_READ))
        told = [(event.kind, *step(event)) for event in events.seen]
        message = await shop.message(accepted.message_id)
    assert told == [
        ("message.accepted", State.STATE_QUEUED, Level.LEVEL_UNSPECIFIED),
        ("message.status_changed", State.STATE_SENDING, Level.LEVEL_UNSPECIFIED),
        ("message.status_changed", State.STATE_SENT, Level.LEVEL_UNSPECIFIED),
        ("message.status_changed", State.STATE_SENT, Level.LEVEL_DELIVERED),
        ("message.status_changed", State.STATE_SENT, Level.LEVEL_READ),
    ]
    assert [event.sequence for event in events.seen] == sorted({event.sequence for event in events.seen})
    assert {event.request_id for event in events.seen[:1]} == {"first"}
    assert (received.text, received.provider_message_id) == ("hello", accepted.provider_message_id)
    assert (message.reach.delivered_count, message.reach.read_count, message.attempt_count) == (1, 1, 1)
    assert message.chat.lid == ada.lid


def step(event: event_pb2.Event) -> tuple[State.ValueType, Level.ValueType]:
    """The state and reach that an event tells."""
    told = event.message_accepted.message if event.HasField("message_accepted") else event.message_status_changed
    return told.state, told.reach.furthest


async def test_a_reply_quotes_what_it_answers_and_calls_out_whom_it_mentions(world: World) -> None:
    shop, ada, bob = await world.shop(), await world.lab.person("Ada"), await world.lab.person("Bob")
    async with shop.events("message.received") as events, ada.inbox() as inbox:
        asked = await ada.say(shop.phone_number, "who can help me?")
        received = (await events.next()).message_received.message
        await shop.accept(
            received.chat.id,
            "ask @ please",
            reply_to=content_pb2.Quote(message_id=received.message_id),
            mentions=[content_pb2.Mention(address=bob.phone_number)],
        )
        answer = await inbox.next()
    assert answer.quoted_provider_message_id == asked
    assert [jid.split("@")[0] for jid in answer.mention_jids] in ([bob.lid.split("@")[0]], [bob.phone_number[1:]])


async def test_what_waits_for_whatsapps_answer_is_settled_by_a_receipt_that_overtakes_it(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await world.lab.fault(shop.account, Fault(acks_held=True))
    async with shop.events("message.status_changed") as events, ada.inbox() as inbox:
        accepted = await shop.accept(ada.phone_number, "hello")
        await inbox.next()
        await events.until(lambda event: event.message_status_changed.reach.furthest == Level.LEVEL_DELIVERED)
        await world.lab.fault(shop.account)
        message = await settled(shop, accepted.message_id)
        states = [event.message_status_changed.state for event in events.seen]
    assert (message.state, message.reach.furthest) == (State.STATE_SENT, Level.LEVEL_DELIVERED)
    assert states.count(State.STATE_SENDING) == 1
    assert len(inbox.seen) == 1


async def settled(shop: Shop, message_id: str) -> message_pb2.Message:
    """A message once it is SENT."""
    async with shop.watch(message_id) as watch:
        return await watch.until(lambda message: message.state == State.STATE_SENT)


async def test_a_phone_that_cannot_decrypt_asks_again_and_gets_it(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with ada.inbox() as inbox:
        await shop.accept(ada.phone_number, "one")
        await inbox.next()
        await ada.forget(shop.phone_number)
        await shop.accept(ada.phone_number, "two")
        received = await inbox.next()
    assert received.text == "two"
    assert received.retry_count > 0


async def test_a_number_without_an_account_fails_the_message(world: World) -> None:
    shop = await world.shop()
    async with shop.events("message.status_changed") as events:
        await shop.accept("+4915100999999", "hello?")
        event = await events.until(is_in(State.STATE_FAILED))
    assert event.message_status_changed.failure.reason == reasons.ERROR_REASON_RECIPIENT_NOT_ON_WHATSAPP


async def test_what_whatsapp_refuses_fails_with_its_number(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await world.lab.fault(shop.account, Fault(refuse_code=463, refuse_count=1))
    async with shop.events("message.status_changed") as events, world.lab.oracle() as oracle:
        await shop.accept(ada.phone_number, "hello")
        event = await events.until(is_in(State.STATE_FAILED))
        await oracle.until(lambda entry: entry.kind == Kind.KIND_REFUSED)
    failure = event.message_status_changed.failure
    assert (failure.reason, failure.provider_code) == (reasons.ERROR_REASON_REACHOUT_RESTRICTED, "463")
