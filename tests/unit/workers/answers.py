"""What WhatsApp answers to messages that are handed over, as tests want it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.domain.lines import (
    Outgoing,
    SendOutcome,
)
from tests.unit.workers.scripted_provider import at_once


def in_turn(*outcomes: SendOutcome | type[Exception]) -> Callable[[Outgoing], Awaitable[SendOutcome]]:
    """Answers one after another; once they are used up, WhatsApp takes everything."""
    left = list(outcomes)

    async def answer(message: Outgoing) -> SendOutcome:
        outcome = left.pop(0) if left else await at_once(message)
        if isinstance(outcome, type):
            raise outcome("as the test says")
        return outcome

    return answer


class Held:
    """WhatsApp, asked and silent until the test lets it answer."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers: asyncio.Queue[SendOutcome] = asyncio.Queue()

    async def __call__(self, message: Outgoing) -> SendOutcome:
        del message
        self.asked.set()
        return await self.answers.get()
