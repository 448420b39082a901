"""Sessions that move from worker to worker: when they are back, what operators see meanwhile, and that none is in two
places.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from tests.stage.fleet import Fleet
from tests.stage.gateway import Gateway
from tests.stage.shop import State
from tests.stage.waiting import eventually
from tests.stage.watching import Watch
from wagate.lab.v1 import oracle_pb2
from wagate.v1 import event_pb2, system_service_pb2, worker_pb2

_LOOK_SECONDS: Final = 0.2
Kind = oracle_pb2.OracleEntry.Kind


@dataclass(frozen=True)
class Sighting:
    """What operators saw so many seconds after they began to look: how many sessions were connected, how many nobody
    owned, and how many each worker had; `shares` is how many it ought to have.
    """

    seconds: float
    connected: int
    unowned: int
    owned: dict[str, int]
    shares: dict[str, int]

    @property
    def is_even(self) -> bool:
        """Whether every session has an owner, and no worker more than its share."""
        return not self.unowned and all(count <= self.shares[name] for name, count in self.owned.items())


async def sighted(api: Gateway, begun: float = 0.0) -> Sighting:
    """What GetStats and ListWorkers tell now."""
    stats = await api.system.GetStats(system_service_pb2.GetStatsRequest())
    listed = await api.system.ListWorkers(system_service_pb2.ListWorkersRequest())
    alive = [worker for worker in listed.workers if worker.state != worker_pb2.Worker.STATE_LOST]
    return Sighting(
        time.monotonic() - begun,
        sum(one.count for one in stats.sessions if one.state == State.STATE_CONNECTED),
        stats.unowned_session_count,
        {worker.worker_id: worker.session_count for worker in alive},
        {worker.worker_id: worker.fair_share for worker in alive},
    )


@asynccontextmanager
async def sightings(api: Gateway) -> AsyncIterator[list[Sighting]]:
    """What operators see while the context lasts, looked at a few times a second."""
    begun, seen = time.monotonic(), list[Sighting]()

    async def look() -> None:
        while True:
            seen.append(await sighted(api, begun))
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield seen
        seen.append(await sighted(api, begun))
    finally:
        looking.cancel()
        await asyncio.wait([looking])
    if not looking.cancelled():
        looking.result()


async def returns(
    events: Watch[event_pb2.Event], session_ids: Collection[str], begun: float, *, within: float
) -> list[float]:
    """How many seconds from `begun` by the monotonic clock until each of these sessions was connected, as events told;
    they are told with a moment's delay at most.
    """
    missing, seconds = set(session_ids), list[float]()
    async with asyncio.timeout(within):
        while missing:
            event = await events.next(within=within)
            if event.session_state_changed.status.state == State.STATE_CONNECTED and event.session_id in missing:
                missing.discard(event.session_id)
                seconds.append(time.monotonic() - begun)
    return sorted(seconds)


async def shown(seen: Sequence[Sighting], condition: Callable[[Sighting], bool], *, within: float) -> None:
    """Wait until operators see something."""
    await eventually(lambda: bool(seen) and condition(seen[-1]), within)


def doubled(entries: Iterable[oracle_pb2.OracleEntry]) -> list[str]:
    """Devices that logged in while another line of theirs was alive."""
    alive: dict[tuple[str, int], set[int]] = {}
    found: list[str] = []
    for entry in entries:
        lines = alive.setdefault((entry.account, entry.device), set())
        if entry.kind == Kind.KIND_LOGOUT:
            lines.discard(entry.connection)
        elif entry.kind == Kind.KIND_LOGIN:
            found += [f"{entry.account}:{entry.device}"] if lines else []
            lines.add(entry.connection)
    return found


async def owned_by(fleet: Fleet, worker_id: str) -> list[str]:
    """The sessions that a worker owns now."""
    connection = await fleet.connect()
    try:
        return [row["session_id"] for row in await connection.fetch(_OWNED, worker_id)]
    finally:
        await connection.close()


_OWNED: Final = """
SELECT session_id FROM leases JOIN sessions ON sessions.uid = leases.session_uid
WHERE owner_id = $1 AND expire_time > extract(epoch FROM clock_timestamp()) * 1000000
"""
