"""A caller who waits is answered when the message got there, when it is at an end, or when the time is over."""

from __future__ import annotations

import time

from google.protobuf.duration_pb2 import Duration

from tests.acceptance.conftest import World
from tests.acceptance.test_repeats import State, WaitFor, send
from wagate.v1 import content_pb2, message_pb2, message_service_pb2
from wagate.v1 import error_reason_pb2 as reasons

Level = message_pb2.Reach.Level


async def test_a_wait_for_sent_and_for_delivered_is_met(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    sent = await send(shop, ada.phone_number, "one", wait_for=WaitFor.WAIT_FOR_SENT)
    assert (sent.wait_satisfied, sent.message.state) == (True, State.STATE_SENT)
    delivered = await send(shop, ada.phone_number, "two", wait_for=WaitFor.WAIT_FOR_DELIVERED)
    assert (delivered.wait_satisfied, delivered.message.reach.furthest) == (True, Level.LEVEL_DELIVERED)


async def test_a_wait_that_runs_out_of_time_is_answered_with_the_message_as_it_is(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await ada.go(online=False)
    answer = await send(
        shop, ada.phone_number, "hello", wait_for=WaitFor.WAIT_FOR_DELIVERED, wait_timeout=Duration(seconds=1)
    )
    assert not answer.wait_satisfied
    assert (answer.message.state, answer.message.reach.delivered_count) == (State.STATE_SENT, 0)


async def test_a_wait_for_a_number_without_an_account_ends_with_the_failed_message(world: World) -> None:
    shop = await world.shop()
    answer = await send(shop, "+4915100999998", "hello?", wait_for=WaitFor.WAIT_FOR_DELIVERED)
    assert not answer.wait_satisfied
    assert answer.message.state == State.STATE_FAILED
    assert answer.message.failure.reason == reasons.ERROR_REASON_RECIPIENT_NOT_ON_WHATSAPP


async def test_a_caller_who_waits_is_answered_a_second_before_the_deadline_of_the_call(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await ada.go(online=False)
    request = message_service_pb2.SendMessageRequest(
        session_id=shop.session_id,
        to=ada.phone_number,
        content=content_pb2.Content(text=content_pb2.Text(text="hello")),
        wait_for=WaitFor.WAIT_FOR_DELIVERED,
        wait_timeout=Duration(seconds=60),
    )
    begun = time.monotonic()
    answer = await world.gateway.messages.SendMessage(request, timeout=3)
    took = time.monotonic() - begun
    assert 1.9 < took < 2.8
    assert (answer.message.state, answer.wait_satisfied) == (State.STATE_SENT, False)
