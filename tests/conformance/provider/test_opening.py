"""A provider opens lines, keeps keys, and forgets them when told to."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.identities import Names
from gateway.domain.lines import LineChanged, LineState, NotSent, Outgoing, Party
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import Line, LineDown, LineGone
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import new_lease, operating, take
from wagate.v1 import content_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import pairing_service_pb2 as pairing

ADA = Names("1447700900999@lid", "+447700900999")
HELLO = content_pb2.Content(text=content_pb2.Text(text="hello"))


def sending(world: World, line: Line) -> Awaitable[object]:
    return line.send(Outgoing(world.provider.new_message_id(), ADA, HELLO), timeout=5)


def marking_read(line: Line) -> Awaitable[object]:
    return line.mark_read(Party(ADA), ADA, ["3EB0"], datetime.now(UTC), timeout=5)


def checking(line: Line) -> Awaitable[object]:
    return line.check([ADA.phone_number], timeout=5)


OTHER_CALLS: list[Callable[[Line], Awaitable[object]]] = [
    lambda line: line.renew(timedelta(minutes=1)),
    lambda line: line.start_pairing("a_1", ""),
    lambda line: line.answer_challenge(pairing.AnswerPairingChallengeRequest(attempt_id="a_1", codes_agree=True)),
    lambda line: line.cancel_pairing(),
    lambda line: line.logout(),
]


async def test_a_provider_says_what_it_can_and_how_it_fares(world: World) -> None:
    assert world.provider.name
    assert {"send.text", "pair.qr"} <= set(world.provider.capabilities)
    health = world.provider.health()
    assert (health.serving, health.message, health.lab) == (True, "", True)


async def test_ids_are_chosen_beforehand_and_never_twice(world: World) -> None:
    ids = {world.provider.new_message_id() for _ in range(1000)}
    assert len(ids - {""}) == 1000


async def test_a_session_without_keys_is_unlinked(world: World) -> None:
    async with operating(world.provider) as shop:
        changed = await shop.until(LineState.UNLINKED)
        assert (shop.line.device, changed.device, shop.passed) == (None, None, [])


async def test_a_session_whose_keys_are_lost_is_logged_out(world: World) -> None:
    device = LinkedDevice("447700900998:7@s.whatsapp.net", "1447700900998@lid", "+447700900998")
    shop = await take(world.provider, new_lease(), device)
    changed = await shop.until(LineState.LOGGED_OUT)
    assert changed.failure is not None
    assert changed.failure.reason == reasons.ERROR_REASON_SESSION_LOGGED_OUT
    assert shop.line.device is None
    await shop.line.close()


async def test_what_asks_whatsapp_is_down_without_a_connection(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        for call in (marking_read, checking):
            with pytest.raises(LineDown):
                await call(shop.line)
        assert isinstance(await unsent(sending(world, shop.line)), NotSent | LineDown)


async def unsent(sending: Awaitable[object]) -> object:
    """Why a message surely did not leave."""
    try:
        return await sending
    except LineDown as error:
        return error


async def test_a_line_that_is_closed_is_gone_for_every_call_and_can_be_closed_again(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        await shop.line.close()
        await shop.gone()
        for call in (*OTHER_CALLS, marking_read, checking):
            with pytest.raises(LineGone):
                await call(shop.line)
        with pytest.raises(LineGone):
            await sending(world, shop.line)


async def test_a_link_outlives_its_line_and_is_found_by_who_does_not_know_of_it(world: World, shop: Shop) -> None:
    await shop.operator.line.close()
    async with operating(world.provider, shop.operator.lease) as again:
        device = again.line.device
        assert device is not None
        assert (device.phone_number, device.lid) == (shop.account.phone_number, shop.account.lid)
        connected = await again.until(LineState.CONNECTED)
        assert connected.device == device
        assert [fact.state for fact in again.passed if isinstance(fact, LineChanged)] == [LineState.OPENING]


async def test_keys_are_kept_until_they_are_erased_which_waits_for_the_line(world: World) -> None:
    async with operating(world.provider) as shop:
        await shop.until(LineState.UNLINKED)
        uid = shop.lease.session_uid
        assert uid in world.provider.kept_sessions()
        assert not world.provider.erase(uid)
    assert world.provider.erase(uid)
    assert uid not in world.provider.kept_sessions()
    assert world.provider.erase(uid)


async def test_an_erased_link_is_gone(world: World, shop: Shop) -> None:
    await shop.operator.line.close()
    assert world.provider.erase(shop.operator.lease.session_uid)
    shop.operator = await take(world.provider, shop.operator.lease)
    assert shop.operator.line.device is None
    await shop.operator.until(LineState.UNLINKED)
