"""A line links an account by QR and by code, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gateway.domain.lines import CodeShown, DeviceLinked, LineChanged, LineState, PairingFailed
from gateway.ports.provider import ChallengeUnknown, LineDown
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import Operator, new_lease, operating, take
from tests.conformance.provider.whatsapp import Contact
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pairing

Reason = reasons.ErrorReason
Answer = pairing.AnswerPairingChallengeRequest


async def test_an_account_is_linked_by_qr(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        code = await shown(shop)
        assert code.attempt_id == "a_1"
        assert code.expire_time > datetime.now(UTC)
        scanning = asyncio.create_task(world.whatsapp.scan(account, code.text))
        linked, _ = await shop.hear(DeviceLinked)
        assert linked.attempt_id == "a_1"
        assert (linked.device.phone_number, linked.device.lid) == (account.phone_number, account.lid)
        assert linked.device.jid.startswith(account.phone_number[1:])
        await scanning
        connected = await shop.until(LineState.CONNECTED)
        assert connected.device == linked.device


async def test_an_account_is_linked_by_code(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        code = await shown(shop, account.phone_number)
        entering = asyncio.create_task(world.whatsapp.enter(account, code.text))
        await shop.hear(DeviceLinked)
        await entering
        await shop.until(LineState.CONNECTED)


async def shown(shop: Operator, phone_number: str = "") -> CodeShown:
    """Begin an attempt; its first code."""
    await shop.until(LineState.UNLINKED)
    await shop.line.start_pairing("a_1", phone_number)
    code, _ = await shop.hear(CodeShown)
    assert code.text
    return code


@asynccontextmanager
async def scanning_in_vain(world: World, account: Contact, code: CodeShown) -> AsyncIterator[None]:
    """Scan, and link nothing."""
    scanning = asyncio.create_task(world.whatsapp.scan(account, code.text))
    yield
    scanning.cancel()
    await asyncio.wait([scanning])
    assert scanning.cancelled() or scanning.exception() is not None


async def test_whatsapp_hears_of_a_link_only_once_it_is_stored(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        scanning = asyncio.create_task(world.whatsapp.scan(account, (await shown(shop)).text))
        _, linked = await shop.hear(DeviceLinked, settle=False)
        done, _ = await asyncio.wait({scanning}, timeout=0.5)
        assert not done
        await linked.settle()
        await shop.until(LineState.CONNECTED)
        await scanning


async def test_a_link_that_is_not_stored_is_none(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        async with scanning_in_vain(world, account, await shown(shop)):
            _, linked = await shop.hear(DeviceLinked, settle=False)
            await linked.refuse()
        assert not await world.whatsapp.has_device(account)
        await shop.line.close()
        await shop.gone()
        assert not [fact for fact in shop.passed if isinstance(fact, LineChanged) and fact.device]


async def test_another_number_than_the_expected_one_is_refused(world: World) -> None:
    account = await world.whatsapp.account()
    shop = await take(world.provider, new_lease(), expected_phone_number="+4915199999999")
    async with scanning_in_vain(world, account, await shown(shop)):
        failed, _ = await shop.hear(PairingFailed)
        assert failed.failure.reason == Reason.ERROR_REASON_PAIRED_WRONG_ACCOUNT
    await shop.line.close()


async def test_a_session_that_is_linked_is_not_linked_again(shop: Shop) -> None:
    with pytest.raises(LineDown):
        await shop.operator.line.start_pairing("a_2", "")


async def test_a_new_attempt_takes_the_place_of_the_one_before(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        first = await shown(shop)
        await shop.line.start_pairing("a_2", "")
        second, _ = await shop.hear(CodeShown)
        assert second.attempt_id == "a_2"
        assert second.text != first.text
        scanning = asyncio.create_task(world.whatsapp.scan(account, second.text))
        linked, _ = await shop.hear(DeviceLinked)
        assert linked.attempt_id == "a_2"
        await scanning


async def test_an_attempt_that_is_cancelled_can_be_cancelled_again_and_another_begun(world: World) -> None:
    account = await world.whatsapp.account()
    async with operating(world.provider) as shop:
        await shown(shop)
        await shop.line.cancel_pairing()
        await shop.line.cancel_pairing()
        await shop.line.start_pairing("a_2", "")
        code, _ = await shop.hear(CodeShown)
        scanning = asyncio.create_task(world.whatsapp.scan(account, code.text))
        await shop.hear(DeviceLinked)
        await scanning


async def test_an_answer_to_what_was_not_asked_is_unknown(world: World) -> None:
    async with operating(world.provider) as shop:
        await shown(shop)
        for answer in (
            Answer(attempt_id="a_1", webauthn_response_json="{}"),
            Answer(attempt_id="a_1", codes_agree=True),
        ):
            with pytest.raises(ChallengeUnknown):
                await shop.line.answer_challenge(answer)
