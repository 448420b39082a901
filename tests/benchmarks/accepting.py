"""Accepting: SendMessage with everything on, beside a bare echo; and that no reply was given for nothing."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from google.protobuf.message import Message
from grpc import aio

from tests.benchmarks import echo
from tests.benchmarks.figures import Figure, compared
from tests.benchmarks.house import House, a_bare_server
from tests.benchmarks.load import Round, load
from tests.stage.shop import Shop
from wagate.v1 import content_pb2
from wagate.v1.message_service_pb2 import SendMessageRequest, SendMessageResponse

SESSIONS: Final = 50
_CALLERS: Final = 64
_BODIES_AT_ONCE: Final = 8
_ROUNDS: Final = 7
_SECONDS: Final = 2.0
_SEND: Final = "/wagate.v1.MessageService/SendMessage"
_TEXT: Final = "Your order 1047 has left our house this morning, and should be with you on Thursday between 9 and 12."
_ROWS: Final = "SELECT count(*) FROM messages"
_EVENTS: Final = "SELECT count(*) FROM events WHERE kind = 'message.accepted'"
_ANSWERED: Final = re.compile(r"wagate_calls_total\{(\w+),MessageService/SendMessage\}")
_ONE_BY_ONE: Final = 4, 150
"""Rounds of one caller, and calls in each."""


@dataclass(frozen=True)
class _Side:
    """One of the two servers that are compared."""

    address: str
    path: str

    @property
    def url(self) -> str:
        return f"http://{self.address}{self.path}"


async def measure(house: House) -> list[Figure]:
    """Measure the rate of 64 callers, and the time of one, each as a ratio to an echo in the same run: one on asyncio's
    own loop, and one on uvloop, as the gateway is.
    """
    shops = await house.shops(SESSIONS)
    for shop in shops:
        await shop.stop()
    bodies = [_request(shop, place) for place, shop in enumerate(shops)]
    async with a_bare_server(house.folder, "asyncio") as plain, a_bare_server(house.folder, "uvloop") as quick:
        ours = _Side(house.gateway.address, _SEND)
        bare = {"bare echo": _Side(plain, echo.PATH), "echo on uvloop": _Side(quick, echo.PATH)}
        rounds = [told async for told in _rounds(house.folder, [ours, *bare.values()], bodies)]
        one = await _one_by_one([ours, *bare.values()], bodies)
    await _check(house, sum(told[ours].replies for told in rounds) + _ONE_BY_ONE[0] * _ONE_BY_ONE[1])
    measured = rounds[1:]
    return [
        figure
        for name, side in bare.items()
        for figure in (
            compared(
                f"SendMessage, {_CALLERS} callers, ÷ {name}",
                "calls/s",
                [told[ours].rate for told in measured],
                [told[side].rate for told in measured],
            ),
            compared(
                f"SendMessage, {_CALLERS} callers, p50, ÷ {name}",
                "ms",
                [told[ours].p50 for told in measured],
                [told[side].p50 for told in measured],
            ),
            compared(f"SendMessage, one caller, p50, ÷ {name}", "ms", one[ours], one[side]),
        )
    ]


def _request(shop: Shop, place: int) -> SendMessageRequest:
    content = content_pb2.Content(text=content_pb2.Text(text=_TEXT))
    return SendMessageRequest(session_id=shop.session_id, to=f"+4477009{place:05}", content=content)


async def _rounds(
    folder: Path, sides: Sequence[_Side], bodies: Sequence[SendMessageRequest]
) -> AsyncIterator[dict[_Side, Round]]:
    """Rounds of all sides in turn, over other sessions in each; the first, a short one, is for warming up."""
    calls = dict.fromkeys(sides, 200)
    for number in range(_ROUNDS + 1):
        chosen = [bodies[(number * _BODIES_AT_ONCE + place) % len(bodies)] for place in range(_BODIES_AT_ONCE)]
        told = {}
        first = number % len(sides)
        for side in (*sides[first:], *sides[:first]):
            told[side] = await load(folder, side.url, chosen, streams=_CALLERS // _BODIES_AT_ONCE, calls=calls[side])
            calls[side] = round(told[side].rate * _SECONDS / _BODIES_AT_ONCE)
        yield told


async def _one_by_one(sides: Sequence[_Side], bodies: Sequence[SendMessageRequest]) -> dict[_Side, list[float]]:
    """The median time of one caller's calls, milliseconds, of each round, for each side."""
    rounds, calls = _ONE_BY_ONE
    took: dict[_Side, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            answer = SendMessageResponse if side.path == _SEND else SendMessageRequest
            took[side].append(await _alone(side, answer, [bodies[n % len(bodies)] for n in range(calls)]))
    return took


async def _alone(side: _Side, answer: type[Message], requests: Sequence[SendMessageRequest]) -> float:
    took = []
    async with aio.insecure_channel(side.address) as channel:
        call = channel.unary_unary(
            side.path, request_serializer=SendMessageRequest.SerializeToString, response_deserializer=answer.FromString
        )
        await channel.channel_ready()
        for request in requests:
            begun = time.perf_counter()
            await call(request, timeout=10)
            took.append((time.perf_counter() - begun) * 1000)
    return median(took)


async def _check(house: House, replies: int) -> None:
    """End with a sentence unless each reply stands for one row and one event, and each call was answered with OK."""
    with closing(sqlite3.connect(f"file:{house.gateway.database}?mode=ro", uri=True)) as database:
        rows, events = (database.execute(question).fetchone()[0] for question in (_ROWS, _EVENTS))
    answered = {}
    for name, count in (await house.numbers.now()).items():
        if call := _ANSWERED.fullmatch(name):
            answered[call[1]] = count
    if (rows, events, answered) != (replies, replies, {"OK": replies}):
        sys.exit(f"{replies} replies, but {rows} rows, {events} events, and answered were {answered}")
