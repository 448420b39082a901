"""Opens and cancels streams at a gateway of its own for a while, and tells how the gateway's memory went.

`python -m tests.stage.soaking FOLDER SECONDS STREAMS_PER_MINUTE` prints one line: resident bytes once all is warm, and
at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import lab_process
from tests.stage.processes import resident
from tests.stage.shop import Shop, new_shop
from wagate.v1.event_service_pb2 import StreamEventsRequest
from wagate.v1.message_service_pb2 import WatchMessageRequest

_TO: Final = "+447700900001"
_WARM_SHARE: Final = 0.2
"""For this share of the time memory may grow: caches fill, code is read for the first time."""
_SAMPLE_SECONDS: Final = 1.0
_ENDS: Final = 5
"""So many samples at either end are compared, each by their median."""


async def soak(folder: Path, seconds: float, per_minute: float) -> tuple[float, float]:
    """Resident bytes of the gateway once it was warm, and at the end."""
    async with (
        lab_process(folder / "lab") as lab,
        gateway_process(folder / "gateway", {**lab.environment, "WAGATE_LOG__LEVEL": "info"}) as gateway,
    ):
        shop = await new_shop(gateway, lab)
        message_id = (await shop.accept(_TO, "to be watched")).message_id
        samples: list[int] = []
        await asyncio.gather(
            _open_and_cancel(gateway, shop, message_id, seconds, per_minute),
            _sample(gateway.process.process_id, samples, seconds),
        )
        warm = samples[round(len(samples) * _WARM_SHARE) :]
        return median(warm[:_ENDS]), median(warm[-_ENDS:])


async def _open_and_cancel(gateway: Gateway, shop: Shop, message_id: str, seconds: float, per_minute: float) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in count():
            moment = begun + number * 60 / per_minute
            if moment > begun + seconds:
                return
            await asyncio.sleep(moment - loop.time())
            group.create_task(_one(gateway, shop, message_id, number))


async def _one(gateway: Gateway, shop: Shop, message_id: str, number: int) -> None:
    """Open a stream of one sort or another, read from it, and cancel it."""
    if number % 3 == 0:
        request = WatchMessageRequest(session_id=shop.session_id, message_id=message_id)
        watch = gateway.messages.WatchMessage(request)
        await watch.read()
        watch.cancel()
        return
    from_the_start = number % 3 == 1
    feed = gateway.feeds.StreamEvents(StreamEventsRequest(earliest=True) if from_the_start else StreamEventsRequest())
    await feed.read()
    if from_the_start:
        await feed.read()
    feed.cancel()


async def _sample(process_id: int, samples: list[int], seconds: float) -> None:
    ends = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < ends:
        samples.append(resident(process_id))
        await asyncio.sleep(_SAMPLE_SECONDS)


if __name__ == "__main__":
    told = asyncio.run(soak(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.write(json.dumps(told) + "\n")
