"""Arriving: how fast one session takes in what was said while it was away."""

from __future__ import annotations

import time
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.house import House

_MESSAGES: Final = 500
_PATIENCE: Final = 60.0


async def measure(house: House) -> list[Figure]:
    """Let a person write to a session that is stopped, start it, and wait for the last message's event."""
    (shop,) = await house.shops(1)
    ada = await house.lab.person("Ada")
    async with shop.events("message.received") as events:
        await ada.say(shop.phone_number, "are you there?")
        await events.next()
        await shop.stop()
        for number in range(_MESSAGES):
            await ada.say(shop.phone_number, f"message {number}")
        begun = time.perf_counter()
        await shop.start()
        for number in range(_MESSAGES):
            event = await events.next(within=_PATIENCE)
            assert event.message_received.message.content.text.text == f"message {number}", "out of order"
        took = time.perf_counter() - begun
    rate = _MESSAGES / took
    return [Figure(f"{_MESSAGES} messages taken in by one session after its start", rate, "messages/s", runs=[rate])]
