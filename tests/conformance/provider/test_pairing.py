"""A line links an account by QR and by code."""

import asyncio

import pytest

from gateway.domain.lines import CodeShown, DeviceLinked, LineState, PairingFailed
from gateway.ports.provider import ChallengeUnknown
from tests.conformance.provider.conftest import World
from tests.conformance.provider.operator import new_lease, operating, take
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pairing


async def test_an_account_is_linked_by_qr(world: World) -> None:
    account = await world.lab.account()
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.start_pairing("a_1", "")
        code, _ = await shop.hear(CodeShown)
        assert (code.attempt_id, code.codes_left > 0) == ("a_1", True)
        scanning = asyncio.create_task(world.lab.scan(account, code.text))
        linked, _ = await shop.hear(DeviceLinked)
        assert linked.device.phone_number == account.phone_number
        assert linked.device.lid == account.lid
        assert await scanning > 0
        connected = await shop.until(LineState.CONNECTED)
        assert connected.device == linked.device


async def test_an_account_is_linked_by_code(world: World) -> None:
    account = await world.lab.account()
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.start_pairing("a_1", account.phone_number)
        code, _ = await shop.hear(CodeShown)
        entering = asyncio.create_task(world.lab.enter(account, code.text))
        await shop.hear(DeviceLinked)
        await entering
        await shop.until(LineState.CONNECTED)


async def test_whatsapp_hears_of_a_link_only_once_it_is_stored(world: World) -> None:
    account = await world.lab.account()
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.start_pairing("a_1", "")
        code, _ = await shop.hear(CodeShown)
        scanning = asyncio.create_task(world.lab.scan(account, code.text))
        _, linked = await shop.hear(DeviceLinked, settle=False)
        done, _ = await asyncio.wait({scanning}, timeout=0.5)
        assert not done
        await linked.settle()
        await shop.until(LineState.CONNECTED)
        await scanning


async def test_another_number_than_the_expected_one_is_refused(world: World) -> None:
    account = await world.lab.account()
    shop = await take(world.provider, new_lease(), expected_phone_number="+4915199999999")
    await shop.until(LineState.UNLINKED)
    await shop.line.start_pairing("a_1", "")
    code, _ = await shop.hear(CodeShown)
    scanning = asyncio.create_task(world.lab.scan(account, code.text))
    failed, _ = await shop.hear(PairingFailed)
    assert failed.failure.reason == reasons.ERROR_REASON_PAIRED_WRONG_ACCOUNT
    scanning.cancel()
    await asyncio.wait([scanning])
    await shop.line.close()


async def test_an_attempt_that_is_cancelled_fails_with_that_reason(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.start_pairing("a_1", "")
        await shop.hear(CodeShown)
        await shop.line.cancel_pairing()
        failed, _ = await shop.hear(PairingFailed)
        assert failed.attempt_id == "a_1"
        assert failed.failure.reason == reasons.ERROR_REASON_PAIRING_CANCELED


async def test_an_answer_to_what_was_not_asked_is_unknown(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        with pytest.raises(ChallengeUnknown):
            await shop.line.answer_challenge(
                pairing.AnswerPairingChallengeRequest(attempt_id="a_1", webauthn_response_json="{}")
            )
