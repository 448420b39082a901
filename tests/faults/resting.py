"""Rest: all that was accepted has left or ended, all that was said is taken in, and the reader was told of all."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from grpc import StatusCode, aio

from tests.faults.scene import Scene
from tests.stage.waiting import eventually
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.v1 import event_service_pb2, session_pb2

_LOOK_EVERY_SECONDS: Final = 0.2


async def rest(scene: Scene, *, within: float) -> bool:
    """Wait until nothing is under way any more; tell whether that came in time. If not, the judge says what is missing.
    Whom nothing reached meanwhile comes back last, so that no receipt spares a repeat.
    """
    try:
        await eventually(lambda: _has_left(scene), within)
        await scene.away.go(online=True)
        await eventually(lambda: _is_still(scene), within)
    except AssertionError:
        sys.stderr.write(f"Not all is at rest {within} s after the last fault\n")
        return False
    return True


async def _has_left(scene: Scene) -> bool:
    """Whether all sessions are connected and have nothing to send."""
    await asyncio.sleep(_LOOK_EVERY_SECONDS)
    for shop in scene.shops:
        try:
            status = await shop.status()
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.UNAVAILABLE:
                raise
            return False  # what it stands on has only just begun again
        if status.outbox_size or status.state != session_pb2.SessionStatus.STATE_CONNECTED:
            return False
    return True


async def _is_still(scene: Scene) -> bool:
    """Whether also nothing waits at WhatsApp, or for the reader."""
    return await _has_left(scene) and not await _waiting_at_whatsapp(scene) and not await _untold(scene)


async def _waiting_at_whatsapp(scene: Scene) -> bool:
    accounts = (await scene.lab.stub.ListAccounts(pb.ListAccountsRequest())).accounts
    return any(device.queue_size for account in accounts for device in account.devices)


async def _untold(scene: Scene) -> bool:
    """Whether there are events that the reader was not told of."""
    cursor = scene.reader.cursor()
    if not cursor:
        return True
    request = event_service_pb2.ListEventsRequest(after_cursor=cursor, page_size=1)
    return bool((await scene.gateways[0].feeds.ListEvents(request)).events)
