"""What a scenario can wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal

from pydantic import PositiveInt

from gateway.scenarios.errors import StepFailed
from gateway.scenarios.stage import Stage
from gateway.scenarios.verbs import Somebody, Speaker, Verb
from gateway.settings.spans import Span, write_span
from wagate.lab.v1 import lab_service_pb2 as pb
from wagate.lab.v1.oracle_pb2 import OracleEntry

PATIENCE: Final = timedelta(seconds=30)
_LOOK_EVERY: Final = 0.1

Condition = Literal["linked", "online", "offline", "nothing-waits", "accepted", "refused", "delivered", "confirmed"]

STATES: Final[dict[str, Callable[[pb.Account], bool]]] = {
    "linked": lambda account: bool(account.devices),
    "online": lambda account: bool(account.devices) and all(device.online for device in account.devices),
    "offline": lambda account: not any(device.online for device in account.devices),
    "nothing-waits": lambda account: not any(device.queue_size for device in account.devices),
}
FACTS: Final = {
    "accepted": OracleEntry.KIND_ACCEPTED,
    "refused": OracleEntry.KIND_REFUSED,
    "delivered": OracleEntry.KIND_DELIVERED,
    "confirmed": OracleEntry.KIND_CONFIRMED,
}


class Wait(Verb):
    """Until somebody's devices are in a state, or so many messages of theirs, different ones, have been accepted,
    refused, delivered to them or confirmed by them since the scenario began.
    """

    until: Condition
    of: Somebody
    count: PositiveInt = 1
    within: Span = PATIENCE

    async def play(self, stage: Stage) -> str:
        """Wait."""
        number = stage.number(self.of)
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                if self.until in STATES:
                    await self._state(stage, number)
                else:
                    await self._messages(stage, number)
        except TimeoutError:
            raise StepFailed(f"that was not so within {write_span(self.within)}") from None
        return ""

    async def _state(self, stage: Stage, number: str) -> None:
        while True:
            account = await stage.account(number)
            if account is not None and STATES[self.until](account):
                return
            await asyncio.sleep(_LOOK_EVERY)

    async def _messages(self, stage: Stage, number: str) -> None:
        kind, ids = FACTS[self.until], set[tuple[str, str]]()
        log = stage.lab.WatchOracle(pb.WatchOracleRequest(after_position=stage.since))
        try:
            async for told in log:
                if told.entry.kind == kind and told.entry.account == number:
                    ids.add((told.entry.peer, told.entry.provider_message_id))
                if len(ids) >= self.count:
                    return
        finally:
            log.cancel()


class Hear(Verb):
    """Until a person has heard a text."""

    by: Speaker
    text: str
    within: Span = PATIENCE

    async def play(self, stage: Stage) -> str:
        """Listen."""
        inbox = stage.lab.WatchInbox(pb.WatchInboxRequest(person_id=stage.person(self.by)))
        try:
            async with asyncio.timeout(self.within.total_seconds()):
                async for heard in inbox:
                    if heard.text == self.text:
                        return f"from {heard.from_phone_number or heard.from_lid}"
        except TimeoutError:
            pass
        finally:
            inbox.cancel()
        raise StepFailed(f"it was not heard within {write_span(self.within)}")


class Pause(Verb):
    """Nothing happens for so long."""

    lasting: Span

    async def play(self, stage: Stage) -> str:  # noqa: ARG002
        """Pause."""
        await asyncio.sleep(self.lasting.total_seconds())
        return ""
