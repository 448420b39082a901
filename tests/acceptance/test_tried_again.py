"""What WhatsApp refuses for now is tried again by itself, and what is behind it does not wait."""

from __future__ import annotations

from datetime import UTC, timedelta

from tests.acceptance.conftest import World
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import message_pb2

State = message_pb2.Message.State
HoldKind = message_pb2.Hold.Kind
Fault = lab_service_pb2.SetFaultRequest.Fault


async def sent(shop: Shop, message: message_pb2.Message) -> message_pb2.Message:
    """A message once WhatsApp has it."""
    async with shop.watch(message.message_id) as watch:
        return await watch.until(lambda shown: shown.state == State.STATE_SENT)


async def test_what_is_refused_for_now_shows_when_it_is_tried_again_and_lets_the_next_go_first(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await world.lab.fault(shop.account, Fault(refuse_code=503, refuse_count=1))
    async with shop.events("message.status_changed") as events, ada.inbox() as inbox:
        first = await shop.accept(ada.phone_number, "first")
        event = await events.until(lambda event: event.message_status_changed.HasField("hold"))
        second = await shop.accept(ada.phone_number, "second")
        overtaken = await sent(shop, second)
        at_last = await sent(shop, first)
        texts = [(await inbox.next()).text for _ in range(2)]
    refused = event.message_status_changed
    pause = refused.hold.until_time.ToDatetime(UTC) - event.record_time.ToDatetime(UTC)
    assert (refused.state, refused.hold.kind) == (State.STATE_QUEUED, HoldKind.KIND_RETRY)
    assert timedelta(seconds=1.9) <= pause <= timedelta(seconds=2.1)
    assert (overtaken.attempt_count, at_last.attempt_count, texts) == (1, 2, ["second", "first"])
    assert not at_last.HasField("hold")
