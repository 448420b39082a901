"""A line says truly where it is, and comes back by itself if that is of use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.domain.lines import LineChanged, LineState, ReachoutRestricted
from tests.conformance.provider.conftest import Shop, World
from tests.conformance.provider.operator import take
from wagate.v1 import error_reason_pb2 as reasons

Reason = reasons.ErrorReason


def why(changed: LineChanged) -> Reason.ValueType:
    assert changed.failure is not None
    assert changed.failure.message
    return changed.failure.reason


async def test_a_line_that_is_cut_comes_back_when_it_said(world: World, shop: Shop) -> None:
    await world.whatsapp.drop(shop.account)
    lost = await shop.operator.until(LineState.RECONNECTING)
    assert why(lost) == Reason.ERROR_REASON_LINE_LOST
    assert lost.next_attempt_time is not None
    connected = await shop.operator.until(LineState.CONNECTED)
    assert (connected.failure, connected.next_attempt_time) == (None, None)
    assert connected.device is not None
    assert datetime.now(UTC) >= lost.next_attempt_time


async def test_a_line_that_another_took_over_stays_away(world: World, shop: Shop) -> None:
    await world.whatsapp.replace(shop.account)
    assert why(await shop.operator.until(LineState.BLOCKED)) == Reason.ERROR_REASON_SESSION_REPLACED


async def test_a_client_that_is_too_old_stays_away(world: World, shop: Shop) -> None:
    await world.whatsapp.outdate(shop.account)
    blocked = await shop.operator.until(LineState.BLOCKED)
    assert (why(blocked), blocked.banned_until_time) == (Reason.ERROR_REASON_CLIENT_OUTDATED, None)


async def test_a_ban_says_its_end_and_ends_by_itself(world: World, shop: Shop) -> None:
    await world.whatsapp.ban(shop.account, seconds=3)
    banned = await shop.operator.until(LineState.BLOCKED)
    assert why(banned) == Reason.ERROR_REASON_ACCOUNT_BANNED
    assert banned.banned_until_time is not None
    assert timedelta(0) < banned.banned_until_time - datetime.now(UTC) <= timedelta(seconds=3)
    await shop.operator.until(LineState.CONNECTED)
    assert datetime.now(UTC) >= banned.banned_until_time


async def test_an_unlinked_line_is_logged_out_and_has_forgotten_its_keys(world: World, shop: Shop) -> None:
    await world.whatsapp.unlink(shop.account)
    logged_out = await shop.operator.until(LineState.LOGGED_OUT)
    assert why(logged_out) == Reason.ERROR_REASON_SESSION_LOGGED_OUT
    await shop.operator.line.close()
    shop.operator = await take(world.provider, shop.operator.lease)
    assert shop.operator.line.device is None


async def test_a_logout_unlinks_the_account_and_forgets_the_keys(world: World, shop: Shop) -> None:
    assert await world.whatsapp.has_device(shop.account)
    await shop.operator.line.logout()
    assert not await world.whatsapp.has_device(shop.account)
    assert shop.operator.line.device is None
    await shop.operator.until(LineState.UNLINKED)
    await shop.operator.line.close()
    shop.operator = await take(world.provider, shop.operator.lease)
    assert shop.operator.line.device is None
    await shop.operator.until(LineState.UNLINKED)


async def test_a_logout_without_a_connection_forgets_the_keys_too(world: World, shop: Shop) -> None:
    await world.whatsapp.drop(shop.account)
    await shop.operator.until(LineState.RECONNECTING)
    await shop.operator.line.logout()
    assert shop.operator.line.device is None
    await shop.operator.until(LineState.UNLINKED)


async def test_a_line_tells_that_new_people_must_not_be_written_to_and_when_that_ends(world: World, shop: Shop) -> None:
    await world.whatsapp.lock_reachout(shop.account, seconds=60)
    locked, _ = await shop.operator.hear(ReachoutRestricted)
    assert locked.active
    assert locked.until_time is not None
    assert timedelta(seconds=30) < locked.until_time - datetime.now(UTC) <= timedelta(seconds=61)
