"""Rest: all that was accepted has left or ended, all that was said is taken in, and the reader was told of all."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from grpc import StatusCode, aio

from tests.faults.scene import Scene
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.v1 import event_service_pb2, session_pb2

_LOOK_EVERY_SECONDS: Final = 0.2
_UNKNOWN: Final = 1_000_000


async def rest(scene: Scene, *, patience: float) -> bool:
    """Wait until nothing is under way any more, for as long as it grows less; tell whether it came to that, or was ever
    as much for `patience` seconds. In that case the judge says what is missing. Whom nothing reached meanwhile comes
    back last, so that no receipt spares a repeat.
    """
    if not await _comes_down(lambda: _to_leave(scene), patience):
        return False
    await scene.away.go(online=True)
    return await _comes_down(lambda: _under_way(scene), patience)


async def _comes_down(amount: Callable[[], Awaitable[int]], patience: float) -> bool:
    loop = asyncio.get_running_loop()
    least, since = await amount(), loop.time()
    while least:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        now = await amount()
        if now < least:
            least, since = now, loop.time()
        elif loop.time() - since > patience:
            sys.stderr.write(f"Not all is at rest: {now} under way, and no fewer for {patience} s\n")
            return False
    return True


async def _to_leave(scene: Scene) -> int:
    """How many messages wait to be sent, and how many sessions to be connected."""
    return sum([await _left_in(shop) for shop in scene.shops])


async def _left_in(shop: Shop) -> int:
    try:
        status = await shop.status()
    except aio.AioRpcError as error:
        if error.code() is not StatusCode.UNAVAILABLE:
            raise
        return _UNKNOWN  # what it stands on has only just begun again
    return status.outbox_size + (status.state != session_pb2.SessionStatus.STATE_CONNECTED)


async def _under_way(scene: Scene) -> int:
    """The same, with what waits at WhatsApp, and one more while the reader was not told of all."""
    return await _to_leave(scene) + await _waiting_at_whatsapp(scene) + await _untold(scene)


async def _waiting_at_whatsapp(scene: Scene) -> int:
    accounts = (await scene.lab.stub.ListAccounts(pb.ListAccountsRequest())).accounts
    return sum(device.queue_size for account in accounts for device in account.devices)


async def _untold(scene: Scene) -> bool:
    """Whether there are events that the reader was not told of."""
    cursor = scene.reader.cursor()
    if not cursor:
        return True
    request = event_service_pb2.ListEventsRequest(after_cursor=cursor, page_size=1)
    return bool((await scene.gateways[0].feeds.ListEvents(request)).events)
