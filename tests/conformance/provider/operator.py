"""Someone who owns lines: opens them, keeps their leases, and reads what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar

from gateway.domain.ids import SESSION_UID, make_id
from gateway.domain.leases import Lease
from gateway.domain.lines import Fact, LineChanged, LineState, MessageArrived
from gateway.domain.sessions import LinkedDevice
from gateway.ports.provider import Incoming, Line, LineGone, Opening, Provider

F = TypeVar("F")

LONG: Final = timedelta(minutes=2)
SOON: Final = 15.0


class Operator:
    """Reads one line; whatever is not asked for is settled and passed over."""

    def __init__(self, line: Line, lease: Lease) -> None:
        self.line = line
        self.lease = lease
        self.passed: list[Fact] = []
        self._told = line.incoming()

    async def hear(self, kind: type[F], *, settle: bool = True) -> tuple[F, Incoming]:
        """The next fact of a kind; it is settled at once unless the caller wants to."""
        try:
            async with asyncio.timeout(SOON):
                while True:
                    incoming = await anext(self._told)
                    if isinstance(incoming.fact, kind):
                        if settle:
                            await incoming.settle()
                        return incoming.fact, incoming
                    self.passed.append(incoming.fact)
                    await incoming.settle()
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__} within {SOON} s; what came is {self.passed}") from None

    async def until(self, state: LineState) -> LineChanged:
        """Wait until the line is in a state."""
        while True:
            changed, _ = await self.hear(LineChanged)
            if changed.state is state:
                return changed
            self.passed.append(changed)

    async def refuse_until(self, state: LineState) -> None:
        """Refuse all that is told, until the line is in a state."""
        async with asyncio.timeout(SOON):
            async for incoming in self._told:
                if isinstance(incoming.fact, LineChanged) and incoming.fact.state is state:
                    return
                await incoming.refuse()

    async def texts(self, count: int) -> list[str]:
        """What the next messages say."""
        return [(await self.hear(MessageArrived))[0].content.text.text for _ in range(count)]

    async def gone(self) -> None:
        """Wait until the line says that it is gone."""
        try:
            async with asyncio.timeout(SOON):
                async for incoming in self._told:
                    self.passed.append(incoming.fact)
        except LineGone:
            return
        raise AssertionError("the line ended without a word")


def new_lease(session_uid: str = "", fence: int = 1) -> Lease:
    return Lease("default", session_uid or make_id(SESSION_UID), "operator", fence)


async def take(
    provider: Provider,
    lease: Lease,
    device: LinkedDevice | None = None,
    *,
    remaining: timedelta = LONG,
    expected_phone_number: str = "",
) -> Operator:
    """Open a line, and take its operator's place."""
    opening = Opening(lease.session_uid, lease, remaining, device, expected_phone_number, "Shop")
    return Operator(await provider.open(opening), lease)


@asynccontextmanager
async def operating(provider: Provider, lease: Lease | None = None) -> AsyncIterator[Operator]:
    """Open a line, of a new session if no lease is given, and close it at the end."""
    operator = await take(provider, lease or new_lease())
    try:
        yield operator
    finally:
        await operator.line.close()
