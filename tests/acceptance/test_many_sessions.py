"""After a start all sessions are connected again soon; one whose keys cannot be read disturbs none of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.conftest import World
from tests.stage.crowd import all_reach, cursor_now, many_shops
from tests.stage.shop import Shop, State
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_service_pb2

FEW: Final = 40
MANY: Final = 200
WITHIN: Final = 30.0
"""Seconds from the start of the gateway."""


async def keys_of(shop: Shop) -> Path:
    """The file that holds a session's keys."""
    request = session_service_pb2.GetSessionRequest(session_id=shop.session_id)
    uid = (await shop.gateway.sessions.GetSession(request)).session.uid
    return shop.gateway.folder / "data" / "sessions" / f"{uid}.db"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
async def test_all_sessions_but_one_with_damaged_keys_are_connected_within_half_a_minute_of_a_start(
    own_world: World, count: int
) -> None:
    gateway = own_world.gateway
    broken, *sound = await many_shops(gateway, own_world.lab, count)
    keys, before = await keys_of(broken), await cursor_now(gateway)
    await gateway.stop()
    keys.write_bytes(b"no keys at all" * 1000)
    async with asyncio.timeout(WITHIN):
        await gateway.start()
        await all_reach(gateway, sound, before, within=WITHIN)
    await all_reach(gateway, [broken], before, within=WITHIN, state=State.STATE_BLOCKED)
    assert (await broken.status()).failure.reason == reasons.ERROR_REASON_KEYS_UNREADABLE
