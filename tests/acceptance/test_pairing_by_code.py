"""A person types a code on the phone, and the session is linked."""

import grpc
import pytest
from grpc import aio

from tests.acceptance.conftest import World
from tests.stage.refusing import refused
from tests.stage.shop import PAIRED_WITHIN, is_last
from wagate.v1 import error_reason_pb2, pairing_service_pb2


async def test_a_typed_code_links_the_session(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing(shop.phone_number) as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        assert len(shown.code.text) == 9
        await world.lab.enter(shop.account, shown.code.text)
        last = await frames.until(is_last, within=PAIRED_WITHIN)
    assert last.connected.phone_number == shop.phone_number


async def test_a_code_that_was_asked_for_is_the_one_that_watchers_see(world: World) -> None:
    shop = await world.shop(paired=False)
    request = pairing_service_pb2.RequestPairingCodeRequest(session_id=shop.session_id, phone_number=shop.phone_number)
    answer = await world.gateway.pairing.RequestPairingCode(request)
    async with shop.pairing(shop.phone_number) as frames:
        shown = await frames.next()
        assert (shown.attempt_id, shown.code) == (answer.attempt_id, answer.code)
        await world.lab.enter(shop.account, answer.code.text)
        await frames.until(lambda frame: frame.HasField("connected"), within=PAIRED_WITHIN)
    with refused() as refusal:
        await world.gateway.pairing.RequestPairingCode(request)
    assert refusal.reason == "SESSION_ALREADY_PAIRED"


async def test_a_wrong_code_links_nobody_and_the_next_attempt_succeeds(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing(shop.phone_number) as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        wrong = "ABCD-EFGH" if shown.code.text != "ABCD-EFGH" else "HGFE-DCBA"
        with pytest.raises(aio.AioRpcError) as refusal:
            await world.lab.enter(shop.account, wrong)
        assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        if not any(map(is_last, frames.seen)):
            await world.gateway.pairing.CancelPairing(
                pairing_service_pb2.CancelPairingRequest(session_id=shop.session_id)
            )
        last = await frames.until(is_last)
        assert last.HasField("failed")
    await shop.pair()


async def test_an_attempt_of_the_other_sort_takes_the_place_of_the_one_under_way(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing() as by_qr:
        await by_qr.until(lambda frame: frame.HasField("code"))
        async with shop.pairing(shop.phone_number) as by_code:
            shown = await by_code.until(lambda frame: frame.HasField("code"))
            ended = await by_qr.until(is_last)
            assert ended.failed.reason == error_reason_pb2.ERROR_REASON_PAIRING_SUPERSEDED
            await world.lab.enter(shop.account, shown.code.text)
            await by_code.until(lambda frame: frame.HasField("connected"), within=PAIRED_WITHIN)
