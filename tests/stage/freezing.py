"""Freezes the line of a session at a gateway with the usual settings, and tells how soon the session said so.

`python -m tests.stage.freezing FOLDER` prints one line: seconds until it was DEGRADED, and until it was RECONNECTING.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.stage.gateway import gateway_process
from tests.stage.lab import lab_process
from tests.stage.shop import PAIRED_WITHIN, State, new_shop, reached
from wagate.lab.v1 import lab_service_pb2

_FROZEN: Final = lab_service_pb2.SetFaultRequest.Fault(frozen=True)
_PATIENCE: Final = 120.0


async def freeze(folder: Path) -> list[float]:
    """The seconds from the freeze to each of the two states. Returns once the session is connected again."""
    async with (
        lab_process(folder / "lab") as lab,
        gateway_process(folder / "gateway", lab.environment) as gateway,
    ):
        shop = await new_shop(gateway, lab)
        async with shop.events("session.state_changed") as events:
            begun = datetime.now(UTC)
            await lab.fault(shop.account, _FROZEN)
            degraded = await events.until(reached(State.STATE_DEGRADED), within=_PATIENCE)
            lost = await events.until(reached(State.STATE_RECONNECTING), within=_PATIENCE)
            await events.until(reached(State.STATE_CONNECTED), within=PAIRED_WITHIN)
    return [(event.record_time.ToDatetime(UTC) - begun).total_seconds() for event in (degraded, lost)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(freeze(Path(sys.argv[1])))) + "\n")
