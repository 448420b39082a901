"""Stats: all that there is, counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from gateway.domain.access import Call
from gateway.domain.clocks import to_duration, to_timestamp
from gateway.domain.cursors import Signer
from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import Store, StoreHealth, UnitOfWork
from wagate.v1 import system_service_pb2 as pb


class Stats:
    """The use case of GetStats. `queue_health` tells how the queue fares."""

    def __init__(self, store: Store, signer: Signer, queue_health: Callable[[], QueueHealth]) -> None:
        self._store = store
        self._signer = signer
        self._queue_health = queue_health

    async def get(self, call: Call, _request: pb.GetStatsRequest) -> pb.GetStatsResponse:
        """Count everything."""

        async def work(uow: UnitOfWork) -> pb.GetStatsResponse:
            census = await uow.sessions.census()
            roll = await uow.workers.roll()
            log = await uow.events.ends(call.tenant_id)
            oldest = census.outbox.oldest_due_time
            return pb.GetStatsResponse(
                count_time=to_timestamp(uow.now),
                sessions=[
                    pb.GetStatsResponse.StateCount(state=state, count=count)
                    for state, count in sorted(census.by_state.items())
                ],
                unowned_session_count=roll.unowned,
                suspended_session_count=census.suspended,
                outbox_size=census.outbox.count,
                outbox_age=to_duration(max(uow.now - oldest, timedelta(0))) if oldest else None,
                newest_cursor=self._signer.cursor(call.tenant_id, log.newest),
                newest_event_time=to_timestamp(log.newest_time),
                worker_count=len(roll.workers),
                worker_capacity=sum(worker.capacity for worker in roll.serving),
            )

        stats = await self._store.read(work)
        stats.store.CopyFrom(_shown(self._store.health()))
        stats.queue.CopyFrom(_shown(self._queue_health()))
        return stats


def _shown(health: StoreHealth | QueueHealth) -> pb.GetStatsResponse.PartHealth:
    return pb.GetStatsResponse.PartHealth(serving=health.serving, message=health.message)
