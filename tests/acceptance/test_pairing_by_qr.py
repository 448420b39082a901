"""A person scans a QR, and the session is linked; everybody who watches sees the same."""

import pytest

from tests.acceptance.conftest import World
from tests.stage.refusing import refused
from tests.stage.shop import PAIRED_WITHIN, Frame, State, is_last
from wagate.v1 import error_reason_pb2, event_pb2, pairing_service_pb2

Step = event_pb2.SessionPairing.Step


async def test_a_scanned_qr_links_the_session_to_the_account(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        await world.lab.scan(shop.account, shown.code.text)
        told = await frames.end(within=PAIRED_WITHIN)
    assert [frame.WhichOneof("frame") for frame in told] == ["code", "linked", "connected"]
    assert len({frame.attempt_id for frame in told}) == 1
    status = await shop.status()
    assert status.state == State.STATE_CONNECTED
    assert status.account == told[-1].connected
    assert (status.account.phone_number, status.account.lid) == (shop.phone_number, shop.account.lid)
    assert "send.text" in status.capabilities


async def test_a_watcher_who_joins_late_sees_the_current_step_and_then_what_all_see(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing() as first:
        shown = await first.until(lambda frame: frame.HasField("code"))
        async with shop.pairing() as late:
            assert await late.next() == shown
            await world.lab.scan(shop.account, shown.code.text)
            assert await late.end(within=PAIRED_WITHIN) == await first.end()


async def test_an_attempt_goes_on_when_nobody_watches(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
    async with shop.events("session.pairing") as events:
        await world.lab.scan(shop.account, shown.code.text)
        await events.until(lambda event: event.session_pairing.step == Step.STEP_CONNECTED, within=PAIRED_WITHIN)


async def test_the_log_tells_the_steps_and_never_the_code(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.events() as events, shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        await world.lab.scan(shop.account, shown.code.text)
        await events.until(lambda event: event.session_pairing.step == Step.STEP_CONNECTED, within=PAIRED_WITHIN)
        steps = [event.session_pairing.step for event in events.seen if event.kind == "session.pairing"]
        assert steps == [Step.STEP_CODE_SHOWN, Step.STEP_LINKED, Step.STEP_CONNECTED]
        assert not any(shown.code.text.encode() in event.SerializeToString() for event in events.seen)


async def test_the_qr_of_the_attempt_under_way_can_be_drawn(world: World) -> None:
    shop = await world.shop(paired=False)
    request = pairing_service_pb2.GetPairingQrRequest(
        session_id=shop.session_id, format=pairing_service_pb2.GetPairingQrRequest.FORMAT_PNG
    )
    with refused() as refusal:
        await world.gateway.pairing.GetPairingQr(request)
    assert refusal.reason == "PAIRING_NOT_UNDER_WAY"
    async with shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        drawn = await world.gateway.pairing.GetPairingQr(request)
        assert (drawn.attempt_id, drawn.code) == (shown.attempt_id, shown.code)
        assert drawn.drawing.startswith(b"\x89PNG")


async def test_a_linked_session_is_connected_at_once(world: World) -> None:
    shop = await world.shop()
    async with shop.pairing() as frames:
        (only,) = await frames.end()
    assert only.connected.phone_number == shop.phone_number
    assert only.attempt_id == ""


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_codes_are_renewed_until_none_is_left_and_the_attempt_times_out(world: World) -> None:
    shop = await world.shop(paired=False)
    async with shop.pairing() as frames:
        last = await frames.until(is_last, within=220)
        codes = [frame.code for frame in frames.seen if frame.HasField("code")]
    assert last.failed.reason == error_reason_pb2.ERROR_REASON_PAIRING_TIMED_OUT
    assert [code.codes_left for code in codes] == list(reversed(range(len(codes))))
    assert len({code.text for code in codes}) == len(codes) > 1
    assert isinstance(last, Frame)
