"""A witness: compares all the time what a session says of its line with what the lab knows of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.stage.shop import Shop, State
from wagate.lab.v1 import lab_service_pb2

_LOOK_EVERY_SECONDS: Final = 0.05


@dataclass(slots=True)
class Witness:
    """`looks` counts how often it looked, and `states` is what it was told. `longest_lie` is for how many seconds at
    most the session said CONNECTED while its line was dead, `longest_frozen_lie` while it was open and passed nothing
    on: tell it of that with `frozen`.
    """

    shop: Shop
    frozen: bool = False
    looks: int = 0
    longest_lie: float = 0.0
    longest_frozen_lie: float = 0.0
    states: list[State.ValueType] = field(default_factory=list)
    _lying_since: float | None = None

    async def look(self) -> None:
        """Compare once. What the lab knew before and after the session was asked must agree."""
        before, frozen = await self._is_online(), self.frozen
        state = (await self.shop.status()).state
        alive = (before or await self._is_online()) and not (frozen and self.frozen)
        self.looks += 1
        if not self.states or self.states[-1] != state:
            self.states.append(state)
        self._judge(lies=state == State.STATE_CONNECTED and not alive, frozen=frozen)

    def _judge(self, *, lies: bool, frozen: bool) -> None:
        if not lies:
            self._lying_since = None
            return
        now = time.monotonic()
        self._lying_since = self._lying_since or now
        lasted = now - self._lying_since
        if frozen:
            self.longest_frozen_lie = max(self.longest_frozen_lie, lasted)
        else:
            self.longest_lie = max(self.longest_lie, lasted)

    async def _is_online(self) -> bool:
        accounts = await self.shop.lab.stub.ListAccounts(lab_service_pb2.ListAccountsRequest())
        mine = (one for one in accounts.accounts if one.phone_number == self.shop.phone_number)
        return any(device.online for account in mine for device in account.devices)


@asynccontextmanager
async def witnessed(shop: Shop) -> AsyncIterator[Witness]:
    """Let a witness look at a session while the context lasts."""
    witness = Witness(shop)

    async def look_on() -> None:
        while True:
            await witness.look()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    looking = asyncio.create_task(look_on())
    try:
        yield witness
    finally:
        looking.cancel()
        await asyncio.wait([looking])
    if not looking.cancelled():
        looking.result()
