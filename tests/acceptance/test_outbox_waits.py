"""What waits in the outbox of a stopped session can be cancelled, given up, and sent when it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from tests.acceptance.conftest import World
from tests.stage.refusing import refused
from tests.stage.shop import Shop
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import message_pb2, message_service_pb2

State = message_pb2.Message.State
Hold = message_pb2.Hold


async def cancel(shop: Shop, message_id: str, *, request_id: str = "") -> message_service_pb2.CancelMessageResponse:
    """Cancel a message."""
    return await shop.gateway.messages.CancelMessage(
        message_service_pb2.CancelMessageRequest(
            session_id=shop.session_id, message_id=message_id, request_id=request_id
        )
    )


async def test_what_is_cancelled_while_it_waits_is_not_sent(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    one, two, three = [await shop.accept(ada.phone_number, text) for text in ("one", "two", "three")]
    async with shop.events("message.status_changed") as events, ada.inbox() as inbox:
        cancelled = (await cancel(shop, two.message_id)).message
        assert (cancelled.state, cancelled.HasField("hold")) == (State.STATE_CANCELED, False)
        told = (await events.next()).message_status_changed
        assert (told.message_id, told.state) == (two.message_id, State.STATE_CANCELED)
        await shop.start()
        assert [(await inbox.next()).text for _ in range(2)] == ["one", "three"]
        again = (await cancel(shop, two.message_id)).message
        assert (again.state, again.revision) == (State.STATE_CANCELED, cancelled.revision)
        await events.until(lambda event: event.message_status_changed.message_id == three.message_id)
        with refused() as refusal:
            await cancel(shop, one.message_id)
    assert refusal.reason == "MESSAGE_NOT_CANCELABLE"


async def test_what_was_cancelled_can_be_sent_anew(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    waiting = await shop.accept(ada.phone_number, "hello", metadata={"order": "17"})
    await cancel(shop, waiting.message_id)
    retry = message_service_pb2.RetryMessageRequest(session_id=shop.session_id, message_id=waiting.message_id)
    again = (await world.gateway.messages.RetryMessage(retry)).message
    async with ada.inbox() as inbox:
        await shop.start()
        received = await inbox.next()
    assert (received.text, received.provider_message_id) == ("hello", again.provider_message_id)
    assert (again.retry_of_message_id, dict(again.metadata)) == (waiting.message_id, {"order": "17"})
    assert again.provider_message_id != waiting.provider_message_id


async def test_what_waits_longer_than_it_may_expires_and_that_is_told(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    give_up = Timestamp()
    give_up.FromDatetime(datetime.now(UTC) + timedelta(seconds=1))
    async with shop.events("message.status_changed") as events:
        late = await shop.accept(ada.phone_number, "now or never", give_up_time=give_up)
        patient = await shop.accept(ada.phone_number, "whenever you like")
        assert (late.state, late.hold.kind) == (State.STATE_QUEUED, Hold.KIND_SESSION)
        told = (await events.next()).message_status_changed
    assert (told.message_id, told.state) == (late.message_id, State.STATE_EXPIRED)
    assert told.failure.reason == reasons.ERROR_REASON_GAVE_UP
    async with ada.inbox() as inbox:
        await shop.start()
        received = await inbox.next()
        assert received.provider_message_id == patient.provider_message_id
    assert (await shop.message(late.message_id)).attempt_count == 0
