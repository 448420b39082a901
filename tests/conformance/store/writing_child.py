"""A process that accepts messages as fast as it can, and says of each when it has been answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.ports.unit_of_work import UnitOfWork
from tests.conformance.store.making import TENANT, message, stored_session, tell
from tests.conformance.store.stage import STAGES, Stage

CALLERS = 16


async def accept_for_ever(stage: Stage, name: str) -> None:
    session = await stored_session(stage.store, name)
    while True:
        one = message(session)

        async def work(unit: UnitOfWork) -> None:
            await unit.messages.add(one)  # noqa: B023  # runs before the loop goes on
            await tell(unit, session, kind="message_accepted")

        await stage.store.write(work)
        sys.stdout.write(f"{TENANT} {one.message_id}\n")
        sys.stdout.flush()


async def main(stage_name: str, folder: Path) -> None:
    async with STAGES[stage_name](folder) as stage, asyncio.TaskGroup() as tasks:
        for number in range(CALLERS):
            tasks.create_task(accept_for_ever(stage, f"s{number}"), name=f"caller {number}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
