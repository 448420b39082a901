"""What the line of WhatsApp Web says and does beside what any line does."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.identities import Names
from gateway.domain.lines import (
    CodeShown,
    DeviceLinked,
    LineState,
    MessageArrived,
    OfflineSync,
    OutcomeUnknown,
    Outgoing,
    PairingFailed,
    Sent,
)
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import operating, take
from tests.conformance.provider.test_pairing import scanning_in_vain, shown
from tests.conformance.provider.test_receiving import TEXTS, say_all
from tests.conformance.provider.test_sending import saying, send
from wagate.v1 import error_reason_pb2 as reasons

pytestmark = pytest.mark.parametrize("world", ["web"], indirect=True)


async def test_a_lid_can_be_written_to(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    message = Outgoing(world.provider.new_message_id(), Names(lid=ada.lid), saying("hello"))
    assert isinstance(await shop.operator.line.send(message, timeout=20), Sent)
    assert (await world.whatsapp.heard(ada)).text == "hello"


async def test_a_line_that_does_not_answer_is_degraded_then_made_anew_and_takes_answers_with_it(
    world: World, shop: Shop
) -> None:
    ada = await world.whatsapp.person("Ada")
    assert isinstance(await send(world, shop, ada.phone_number), Sent)
    await world.whatsapp.freeze(shop.account, ada)
    sending = asyncio.create_task(send(world, shop, ada.phone_number))
    degraded = await shop.operator.until(LineState.DEGRADED)
    lost = await shop.operator.until(LineState.RECONNECTING)
    assert isinstance(await asyncio.wait_for(sending, 5), OutcomeUnknown)
    for changed in (degraded, lost):
        assert changed.failure is not None
        assert changed.failure.reason == reasons.ERROR_REASON_LINE_UNRESPONSIVE
    await shop.operator.until(LineState.CONNECTED)


async def test_an_attempt_whose_place_another_takes_fails_with_that_reason(world: World) -> None:
    async with operating(world.provider) as shop:
        await shown(shop)
        await shop.line.start_pairing("a_2", "")
        failed, _ = await shop.hear(PairingFailed)
        assert (failed.attempt_id, failed.failure.reason) == ("a_1", reasons.ERROR_REASON_PAIRING_SUPERSEDED)
        second, _ = await shop.hear(CodeShown)
        assert second.attempt_id == "a_2"


async def test_an_attempt_that_is_cancelled_fails_with_that_reason(world: World) -> None:
    async with operating(world.provider) as shop:
        await shown(shop)
        await shop.line.cancel_pairing()
        failed, _ = await shop.hear(PairingFailed)
        assert (failed.attempt_id, failed.failure.reason) == ("a_1", reasons.ERROR_REASON_PAIRING_CANCELED)
        await shop.line.cancel_pairing()


async def test_an_attempt_whose_link_is_not_stored_fails_with_that_reason(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop, scanning_in_vain(world, account, await shown(shop)):
        _, linked = await shop.hear(DeviceLinked, settle=False)
        await linked.refuse()
        failed, _ = await shop.hear(PairingFailed)
        assert (failed.attempt_id, failed.failure.reason) == ("a_1", reasons.ERROR_REASON_PAIRING_FAILED)


async def test_what_waited_is_marked_and_told_between_two_marks(world: World, shop: Shop) -> None:
    ada = await world.whatsapp.person("Ada")
    await shop.operator.line.close()
    await say_all(world, ada, shop.account)
    shop.operator = await take(world.provider, shop.operator.lease)
    began, _ = await shop.operator.hear(OfflineSync)
    assert not began.completed
    ended, _ = await shop.operator.hear(OfflineSync)
    assert ended.completed
    waited = [fact for fact in shop.operator.passed if isinstance(fact, MessageArrived)]
    assert [message.content.text.text for message in waited] == TEXTS
    assert all(message.place.offline for message in waited)
    await world.whatsapp.say(ada, shop.account, "good morning")
    live, _ = await shop.operator.hear(MessageArrived)
    assert not live.place.offline
