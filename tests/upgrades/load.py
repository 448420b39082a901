"""Load: callers who send, and ask another process again when one does not answer; and a person who writes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from grpc import StatusCode, aio

from tests.stage.gateway import Gateway
from tests.stage.persons import Person, Received
from tests.stage.waiting import eventually
from tests.stage.watching import Watch
from wagate.v1 import content_pb2
from wagate.v1.message_service_pb2 import SendMessageRequest

_PATIENCE: Final = 10.0
_ASK_AGAIN_SECONDS: Final = 0.05
_NO_ANSWER: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED})
"""What a caller's own retry is for. Anything else is a broken promise, and ends the test."""
_PAUSE_SECONDS: Final = 0.2
_ON_THE_WAY: Final = 20


@dataclass
class Load:
    """What was accepted and said so far, by text; `doors` are the processes that callers know, `through` how many each
    of them accepted.
    """

    session_id: str
    phone_number: str
    person: Person
    inbox: Watch[Received]
    doors: list[Gateway]
    accepted: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    through: dict[str, int] = field(default_factory=dict)

    async def grows(self, by: int, within: float = 60.0) -> None:
        """Wait until so many more were accepted, by each process that callers know."""
        wanted = {door.address: self.through.get(door.address, 0) + by for door in self.doors}
        await eventually(lambda: all(self.through.get(door, 0) >= least for door, least in wanted.items()), within)

    @asynccontextmanager
    async def going_on(self, callers: int) -> AsyncIterator[None]:
        """Send and be written to while the context lasts. What has begun is ended."""
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for caller in range(callers):
                group.create_task(self._send(caller, ending))
            group.create_task(self._write(ending))
            try:
                yield
            finally:
                ending.set()

    async def _send(self, caller: int, ending: asyncio.Event) -> None:
        for number in count(1):
            if ending.is_set():
                return
            text = f"caller {caller}: {number}"
            content = content_pb2.Content(text=content_pb2.Text(text=text))
            request = SendMessageRequest(
                session_id=self.session_id,
                to=self.person.phone_number,
                content=content,
                request_id=f"{caller}-{number}",
            )
            self.accepted[text] = await self._insist(request, caller + number)
            await eventually(self._is_light, _PATIENCE * 6)

    async def _insist(self, request: SendMessageRequest, turn: int) -> str:
        """Ask one process after the other until one answers; the message's id."""
        for attempt in count(turn):
            door = self.doors[attempt % len(self.doors)]
            try:
                message = (await door.messages.SendMessage(request, timeout=_PATIENCE)).message
            except aio.AioRpcError as error:
                if error.code() not in _NO_ANSWER:
                    raise
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                self.through[door.address] = self.through.get(door.address, 0) + 1
                return message.message_id
        raise AssertionError

    async def _write(self, ending: asyncio.Event) -> None:
        for number in count(1):
            if ending.is_set():
                return
            text = f"written back: {number}"
            await self.person.say(self.phone_number, text)
            self.said.append(text)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _is_light(self) -> bool:
        """Whether not too much is on its way: at rest all is looked at, and a busy machine would not come to rest."""
        return len(self.accepted) - len(self.inbox.seen) <= _ON_THE_WAY
