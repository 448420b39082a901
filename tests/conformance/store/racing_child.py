"""A process that does this and that to a few sessions and people, as fast as it can, while others do the same."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from random import Random

from gateway.adapters.sql.postgres import PostgresOptions
from gateway.adapters.sql.store import open_store
from gateway.domain.errors import GatewayError, LeaseLost
from tests.conformance.store.calls import PEOPLE, SESSIONS, Accept, Call, Join, Progress, Receive, Refused

CALLERS = 6
IMPATIENT = PostgresOptions(idle_in_transaction_timeout=timedelta(seconds=2))


def random_call(random: Random) -> Call:
    """Any call; those that accept a message come most often, as they do."""
    session, fails = random.choice(SESSIONS), random.random() < 0.2
    request_id = random.choice(["", f"r{random.randrange(30)}"])
    person, other = random.choice(PEOPLE), random.choice(PEOPLE)
    kinds: list[Callable[[], Call]] = [
        lambda: Accept(session, request_id, "one", "", random.random() < 0.3, fails),
        lambda: Accept(session, "", "two", "", False, fails),
        lambda: Progress(session, random.choice([1, 1, 2]), fails),
        lambda: Receive(session, person, f"IN{random.randrange(20)}", fails),
        lambda: Join(person, other, fails),
    ]
    return random.choice(kinds)()


async def main(url: str, seed: int, count: int) -> None:
    random = Random(seed)
    troubles: set[str] = set()
    async with open_store(url, options=IMPATIENT) as store:

        async def outcome(call: Call, number: int) -> None:
            try:
                await store.write(lambda unit: call.work(unit, number), call.prefetch)
            except (Refused, LeaseLost, GatewayError) as error:
                troubles.add(type(error).__name__)

        async def caller(first: int) -> None:
            for number in range(first, count, CALLERS):
                await outcome(random_call(random), seed * 10_000 + number)

        await asyncio.gather(*(caller(first) for first in range(CALLERS)))
    sys.stdout.write(" ".join(sorted(troubles)) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
