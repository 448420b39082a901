"""A process that writes until its disk is full and again once there is room, and says what it was answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.domain.errors import StoreFull
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import MessageFilter, UnitOfWork
from tests.conformance.store.making import TENANT, message, stored_session, tell
from tests.conformance.store.stage import Stage, sqlite_stage

CALLERS = 8


def say(what: str) -> None:
    print(what, flush=True)  # noqa: T201  # it is read by whoever started us


async def accept(stage: Stage, session: Session) -> None:
    """Store a message and its event, and say so."""
    one = message(session)

    async def work(unit: UnitOfWork) -> None:
        await unit.messages.add(one)
        await tell(unit, session, kind="message_accepted")

    await stage.store.write(work)
    say(one.message_id)


async def accept_until_refused(stage: Stage, session: Session) -> None:
    try:
        while True:
            await accept(stage, session)
    except StoreFull:
        return


async def accept_once_there_is_room(stage: Stage, session: Session) -> None:
    while True:
        try:
            return await accept(stage, session)
        except StoreFull:
            await asyncio.sleep(0.05)


async def read(stage: Stage) -> int:
    """How many messages there are."""
    every = MessageFilter()
    return len(
        await stage.store.read(lambda unit: unit.messages.page(TENANT, every, before_ordinal=None, limit=100_000))
    )


async def main(folder: Path) -> None:
    async with sqlite_stage(folder) as stage:
        session = await stored_session(stage.store, f"s{await read(stage)}")
        say("ready")
        await asyncio.gather(*(accept_until_refused(stage, session) for _ in range(CALLERS)))
        say(f"full {await read(stage)}")
        await accept_once_there_is_room(stage, session)
        events = await stage.store.read(lambda unit: unit.events.after(None, 0, limit=100_000))
        numbers = [event.sequence for event in events if event.session_uid == session.uid]
        say(f"again {await read(stage)} {numbers == list(range(1, len(numbers) + 1))}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
