"""While much is forgotten, those who write wait no longer than for what fits into a commit or two."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.domain.messages import State
from gateway.domain.retention import Retention
from gateway.observability.metrics import PrometheusMeter
from gateway.services.forgetting import AT_ONCE, Forgetting
from tests.conformance.store.making import message, stored, stored_session, told
from tests.conformance.store.stage import Stage

OLD = 10 * AT_ONCE
CALLERS = 4


async def test_forgetting_much_lets_everybody_else_write_between_its_parts(stage: Stage) -> None:
    session = await stored_session(stage.store)
    await stored(stage.store, *(message(session, state=State.STATE_SENT) for _ in range(OLD)))
    await told(stage.store, OLD, session)
    stage.clock.move(days=400)
    kept = Retention(events=timedelta(days=30), messages=timedelta(days=365))
    forgetting = asyncio.create_task(Forgetting(stage.store, kept, PrometheusMeter()).forget_old())
    waits: list[int] = []

    async def call() -> None:
        while not forgetting.done():
            begun = len(stage.groups)
            await told(stage.store, 1, session)
            waits.append(len(stage.groups) - begun)

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    forgotten = await forgetting
    assert forgotten["messages"] == OLD
    assert len(waits) > OLD // AT_ONCE
    assert max(waits) <= 3, "somebody waited for more than what was being written, and the next group"
