"""Several processes go by one clock, the database's: what comes later is never told to have come before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Final

from gateway.adapters.sql.store import SqlStore, open_store
from gateway.ports.unit_of_work import Prefetch, UnitOfWork
from tests.conformance.store.making import TENANT, stored_session
from tests.stage.postgres import PostgresServer
from tests.stage.waiting import eventually

HINT: Final = Prefetch(sessions=((TENANT, "sales"),))
STANDING: Final = 1.3
"""Seconds for which the database stands: longer than a look at its clock is good for."""


@asynccontextmanager
async def standing(postgres: PostgresServer) -> AsyncIterator[None]:
    """The database stands for a while, with what the context began."""
    until = time.monotonic() + STANDING
    postgres.freeze()
    try:
        yield
        await eventually(lambda: time.monotonic() > until)
    finally:
        postgres.thaw()


async def moment(store: SqlStore) -> datetime:
    """When a store is told to write something for the session."""

    async def work(unit: UnitOfWork) -> datetime:
        found = await unit.sessions.get(TENANT, "sales")
        assert found is not None
        await unit.sessions.save(found)
        return unit.now

    return await store.write(work, HINT)


async def test_moments_are_in_the_order_of_commits_also_where_one_waited_long_for_the_clock(
    postgres: PostgresServer, postgres_url: str
) -> None:
    async with AsyncExitStack() as stack:
        slow, other = [await stack.enter_async_context(open_store(postgres_url)) for _ in range(2)]
        await stored_session(slow)
        async with standing(postgres):
            pass
        async with standing(postgres):
            waiting = asyncio.create_task(moment(slow))
        moments = [await waiting]
        for _ in range(20):
            moments += [await moment(other), await moment(slow)]
        assert moments == sorted(moments)
