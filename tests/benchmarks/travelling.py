"""Travelling: how long a message is under way, from a caller to a phone, and from a phone to a subscriber."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tests.benchmarks.figures import Figure, percentiles
from tests.benchmarks.house import House

_MESSAGES: Final = 300
_EVERY: Final = 0.05
"""Seconds from one message to the next: so few that none waits for another."""
_WARM: Final = 10
"""The first ones, which are not counted: keys are exchanged with them."""


async def measure(house: House) -> list[Figure]:
    """Measure both ways, one message at a time."""
    (shop,) = await house.shops(1)
    ada = await house.lab.person("Ada")
    async with ada.inbox() as inbox:
        out = await _times(
            lambda text: shop.accept(ada.phone_number, text),
            lambda text: inbox.until(lambda received: received.text == text),
        )
    async with shop.events("message.received") as events:
        back = await _times(
            lambda text: ada.say(shop.phone_number, text),
            lambda text: events.until(lambda event: event.message_received.message.content.text.text == text),
        )
    return [
        *percentiles("SendMessage called → on the phone", out),
        *percentiles("said on the phone → told to a subscriber", back),
    ]


async def _times(say: Callable[[str], Awaitable[Any]], arrives: Callable[[str], Awaitable[Any]]) -> list[float]:
    """Say something at a steady pace; how many milliseconds each took to arrive."""
    took: list[float] = []
    for number in range(_WARM + _MESSAGES):
        text = f"message {number}"
        begun = time.perf_counter()
        saying = asyncio.ensure_future(say(text))
        await arrives(text)
        took.append((time.perf_counter() - begun) * 1000)
        await saying
        await asyncio.sleep(max(begun + _EVERY - time.perf_counter(), 0))
    return took[_WARM:]
