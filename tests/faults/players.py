"""Those who keep a run busy: callers who send through the gateway and will not give up, and persons who write to it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from grpc import StatusCode, aio

from tests.faults.record import Call, Said
from tests.stage.persons import Person
from tests.stage.shop import Shop
from tests.stage.waiting import eventually
from wagate.v1 import content_pb2
from wagate.v1.message_service_pb2 import SendMessageRequest

if TYPE_CHECKING:
    from wagate.v1.message_service_pb2_grpc import MessageServiceAsyncStub

_PATIENCE: Final = 5.0
"""Seconds for which a caller waits for an answer before asking again."""
_ASK_AGAIN_SECONDS: Final = 0.05
_NO_ANSWER: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED})
_ASKED_TWICE: Final = 0.05
"""The share of requests that are repeated although they were answered."""


@dataclass
class Traffic:
    """How much has been accepted and said."""

    count: int = 0
    calls: list[Call] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    async def grows(self, by: int, *, within: float) -> None:
        """Wait until so much more has been accepted and said."""
        wanted = self.count + by
        await eventually(lambda: self.count >= wanted, within)

    async def reaches(self, count: int) -> None:
        """Wait until so much has been accepted and said in all."""
        while self.count < count:
            await self.grows(1, within=_PATIENCE * 10)


class Caller:
    """Sends numbered texts to one person, each until it is answered, and only then the next. Who does not answer is not
    asked twice in a row, if there are others.
    """

    def __init__(
        self, stubs: Sequence[MessageServiceAsyncStub], shop: Shop, to: Person, traffic: Traffic, seed: int
    ) -> None:
        self._session_id = shop.session_id
        self._to = to.phone_number
        self._traffic = traffic
        self._dice = random.Random(f"{seed} {self._session_id} {self._to}")
        self._stubs = deque(stubs)
        self._stubs.rotate(self._dice.randrange(len(stubs)))
        self._turn = asyncio.Lock()
        self._sent = 0

    async def act(self) -> None:
        """Send the next text."""
        async with self._turn:
            self._sent += 1
            text = f"{self._session_id} to {self._to[-4:]}: {self._sent}"
            content = content_pb2.Content(text=content_pb2.Text(text=text))
            request = SendMessageRequest(
                session_id=self._session_id, to=self._to, content=content, request_id=f"{self._to}-{self._sent}"
            )
            for _ in range(2 if self._dice.random() < _ASKED_TWICE else 1):
                await self._insist(request)
            self._traffic.count += 1

    async def _insist(self, request: SendMessageRequest) -> None:
        """Ask until there is an answer. Any error but the lack of one is a broken promise, and ends the run."""
        while True:
            call = self._stubs[0].SendMessage(request, timeout=_PATIENCE)
            try:
                message = (await call).message
            except aio.AioRpcError as error:
                if error.code() is StatusCode.CANCELLED:
                    raise asyncio.CancelledError from error  # so gRPC tells us that it is us who are cancelled
                if error.code() not in _NO_ANSWER:
                    raise
                self._stubs.rotate(1)
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
                continue
            finally:
                call.cancel()
            self._traffic.calls.append(
                Call(
                    request_id=request.request_id,
                    session_id=self._session_id,
                    to=self._to,
                    text=request.content.text.text,
                    message_id=message.message_id,
                    provider_message_id=message.provider_message_id,
                )
            )
            return


class Speaker:
    """A person who writes numbered texts to one session: to its phone number, or in a group that it is in."""

    def __init__(self, person: Person, shop: Shop, traffic: Traffic, *, group: str = "") -> None:
        self._person = person
        self._shop = shop
        self._group = group
        self._traffic = traffic
        self._said = 0

    async def act(self) -> None:
        """Say the next text."""
        self._said += 1
        where = " in the group" if self._group else ""
        text = f"{self._person.phone_number[-4:]} to {self._shop.session_id}{where}: {self._said}"
        named = await self._person.say(self._group or self._shop.phone_number, text)
        said = Said(self._person.phone_number, self._shop.session_id, text, named, self._group)
        self._traffic.said.append(said)
        self._traffic.count += 1


async def keep_acting(player: Caller | Speaker, dice: random.Random, rate: float, enough: asyncio.Event) -> None:
    """Let a player act so often a second, at random moments, until it is enough."""
    while not enough.is_set():
        await asyncio.sleep(dice.expovariate(rate))
        await player.act()
