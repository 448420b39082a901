"""Why a message that was accepted did not arrive; the other reasons stand beside what leads to them."""

from __future__ import annotations

from tests.acceptance.conftest import World
from tests.stage.shop import State as SessionState
from tests.stage.shop import reached
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2, message_pb2

State = message_pb2.Message.State
Fault = lab_service_pb2.SetFaultRequest.Fault


def ended(event: event_pb2.Event) -> bool:
    """Whether an event tells that a message came to an end without being sent."""
    return event.message_status_changed.state in (State.STATE_FAILED, State.STATE_EXPIRED)


async def test_what_waits_when_its_session_is_logged_out_fails_and_says_so(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    async with shop.events() as events:
        waiting = await shop.accept(ada.phone_number, "Too late")
        await shop.logout()
        step = (await events.until(ended, within=20)).message_status_changed
        await events.until(reached(SessionState.STATE_LOGGED_OUT))
    assert (step.message_id, step.failure.reason) == (waiting.message_id, reasons.ERROR_REASON_SESSION_LOGGED_OUT)


async def test_what_whatsapp_refuses_for_a_reason_of_its_own_fails_with_its_number(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await world.lab.fault(shop.account, Fault(refuse_code=479))
    async with shop.events("message.status_changed") as events:
        await shop.accept(ada.phone_number, "Please")
        failure = (await events.until(ended)).message_status_changed.failure
    assert (failure.reason, failure.provider_code) == (reasons.ERROR_REASON_PROVIDER_REFUSED, "479")
