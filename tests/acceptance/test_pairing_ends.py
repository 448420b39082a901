"""A link is refused, cut or given up, and can be made again."""

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.refusing import refused
from tests.stage.shop import PAIRED_WITHIN, Shop, State, is_last, reached
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2


async def test_a_cancelled_attempt_ends_for_all_who_watch(world: World) -> None:
    shop = await world.shop(paired=False)
    cancel = pairing_service_pb2.CancelPairingRequest(session_id=shop.session_id)
    async with shop.pairing() as one, shop.pairing() as two:
        for frames in (one, two):
            await frames.until(lambda frame: frame.HasField("code"))
        await world.gateway.pairing.CancelPairing(cancel)
        for frames in (one, two):
            assert (await frames.end())[-1].failed.reason == reasons.ERROR_REASON_PAIRING_CANCELED
    with refused() as refusal:
        await world.gateway.pairing.CancelPairing(cancel)
    assert refusal.reason == "PAIRING_NOT_UNDER_WAY"
    await shop.pair()


async def test_another_number_than_the_expected_one_is_not_linked(world: World) -> None:
    shop = await world.shop(paired=False, expected_phone_number="+4915199999999")
    async with world.lab.oracle() as oracle, shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        await scan_in_vain(shop, shop.account, shown.code.text)
        last = await frames.until(is_last)
        assert last.failed.reason == reasons.ERROR_REASON_PAIRED_WRONG_ACCOUNT
        assert not any(entry.kind == Kind.KIND_LINKED and entry.account == shop.phone_number for entry in oracle.seen)
    status = await shop.status()
    assert (status.state, status.HasField("account")) == (State.STATE_PAIRING, False)


async def test_a_session_unlinked_on_the_phone_is_logged_out_and_can_be_paired_again(world: World) -> None:
    shop = await world.shop()
    before = (await shop.status()).account
    async with shop.events("session.state_changed") as events:
        await world.lab.unlink(shop.account)
        event = await events.until(reached(State.STATE_LOGGED_OUT))
        status = event.session_state_changed.status
        assert status.failure.reason == reasons.ERROR_REASON_SESSION_LOGGED_OUT
        assert status.account.id == before.id
    again = await shop.pair()
    assert again.id == before.id
    assert (await shop.status()).state == State.STATE_CONNECTED


async def test_a_session_stays_with_the_account_that_it_was_linked_to(world: World) -> None:
    shop = await world.shop()
    stranger = await world.lab.account("Stranger")
    async with shop.events("session.state_changed") as events:
        await world.lab.unlink(shop.account)
        await events.until(reached(State.STATE_LOGGED_OUT))
    async with shop.pairing() as frames:
        shown = await frames.until(lambda frame: frame.HasField("code"))
        await scan_in_vain(shop, stranger, shown.code.text)
        last = await frames.until(is_last)
        assert last.failed.reason == reasons.ERROR_REASON_PAIRED_WRONG_ACCOUNT


async def test_a_logout_unlinks_the_session_at_whatsapp(world: World) -> None:
    shop = await world.shop()
    async with world.lab.oracle() as oracle, shop.events("session.state_changed") as events:
        await shop.logout()
        await events.until(reached(State.STATE_LOGGED_OUT), within=PAIRED_WITHIN)
        unlinked = await oracle.until(lambda entry: entry.kind == Kind.KIND_UNLINKED)
        assert unlinked.account == shop.phone_number
    await shop.pair()


async def scan_in_vain(shop: Shop, account: lab_service_pb2.Account, qr_text: str) -> None:
    """Scan a QR that the session will not be linked by."""
    with refused():
        await shop.lab.scan(account, qr_text)
