"""A provider whose lines fail when they are told to: before anything has left, or when all has."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from gateway.domain.lines import OutcomeUnknown, Outgoing, SendOutcome
from gateway.ports.provider import Incoming, LineDown, LineGone, Opening
from tests.stage.faulty.part import FaultyPart
from tests.stage.faulty.plan import Fault, Plan


class FaultyProvider(FaultyPart):
    """See `gateway.ports.provider.Provider`. Calls of its lines go wrong by their names too: those of lines opened from
    then on with `failure`.
    """

    def __init__(self, provider: Any) -> None:
        self.plan = Plan()
        self.failure: type[Exception] = LineDown
        super().__init__(provider, self.plan, LineDown)

    async def open(self, opening: Opening) -> FaultyLine:
        """Open a real line, unless that goes wrong, and stand before it."""
        opened = super().__getattr__("open")
        return FaultyLine(await opened(opening), self.plan, self.failure)


class FaultyLine(FaultyPart):
    """See `gateway.ports.provider.Line`. A `send` whose answer is lost is told as an outcome that nobody knows; what it
    tells goes wrong at `settle` and `refuse`, and a line at which it does is gone.
    """

    async def send(self, message: Outgoing, *, timeout: float) -> SendOutcome:
        fault = self._plan.next("send")
        if fault is Fault.NOT_DONE:
            raise self._failure()
        outcome: SendOutcome = await self._part.send(message, timeout=timeout)
        return OutcomeUnknown("the answer was lost") if fault is Fault.ANSWER_LOST else outcome

    async def incoming(self) -> AsyncGenerator[Incoming]:
        async with aclosing(self._part.incoming()) as items:
            async for item in items:
                yield cast(Incoming, FaultyPart(item, self._plan, LineGone))
