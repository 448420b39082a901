"""Renewals: the leases of many lines, renewed in one call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.providers.web.calls import AT_ONCE, answered
from wagate.engine.v1 import engine_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub


class Renewals:
    """Renews leases of one engine. All that are asked for in one turn of the loop go out together; with them goes how
    often it makes a lost line again in a second at most, if that is not 0.
    """

    def __init__(self, stub: EngineServiceAsyncStub) -> None:
        self._stub = stub
        self.reconnects_per_second = 0.0
        self._waiting: list[pb.Lease] = []
        self._next: asyncio.Task[frozenset[str]] | None = None

    async def renew(self, lease: pb.Lease) -> bool:
        """Renew a lease; False if the engine refuses. Raises as `answered` does."""
        self._waiting.append(lease)
        if self._next is None:
            self._next = asyncio.create_task(self._ask(), name="renewals")
        return lease.session_id not in await asyncio.shield(self._next)

    async def _ask(self) -> frozenset[str]:
        leases, self._waiting, self._next = self._waiting, [], None
        request = pb.RenewLeasesRequest(leases=leases, reconnects_per_second=self.reconnects_per_second)
        return frozenset((await answered(self._stub.RenewLeases, request, timeout=AT_ONCE)).refused_session_ids)
