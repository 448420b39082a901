"""Accepting: SendMessage with everything on, beside a bare echo; and that no reply was given for nothing."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from collections import Counter
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
from tests.stage.numbers import Numbers
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
ROWS: Final = "SELECT count(*) FROM messages"
EVENTS: Final = "SELECT count(*) FROM events WHERE kind = 'message.accepted'"
_ANSWERED: Final = re.compile(r"wagate_calls_total\{(?:\w+,)?(\w+),MessageService/SendMessage(?:,\w+)?\}")
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
    figures, replies = await beside_echoes("SendMessage", house.folder, house.gateway.address, shops)
    with closing(sqlite3.connect(f"file:{house.gateway.database}?mode=ro", uri=True)) as database:
        rows, events = (database.execute(question).fetchone()[0] for question in (ROWS, EVENTS))
    await check(replies, rows, events, house.numbers)
    return figures


async def beside_echoes(name: str, folder: Path, address: str, shops: Sequence[Shop]) -> tuple[list[Figure], int]:
    """The figures of a gateway at this address, beside two echoes, and how many replies it gave."""
    for shop in shops:
        await shop.stop()
    bodies = [_request(shop, place) for place, shop in enumerate(shops)]
    async with a_bare_server(folder, "asyncio") as plain, a_bare_server(folder, "uvloop") as quick:
        ours = _Side(address, _SEND)
        bare = {"bare echo": _Side(plain, echo.PATH), "echo on uvloop": _Side(quick, echo.PATH)}
        rounds = [told async for told in _rounds(folder, [ours, *bare.values()], bodies)]
        one = await _one_by_one([ours, *bare.values()], bodies)
    measured = rounds[1:]
    figures = [
        figure
        for other, side in bare.items()
        for figure in (
            compared(
                f"{name}, {_CALLERS} callers, ÷ {other}",
                "calls/s",
                [told[ours].rate for told in measured],
                [told[side].rate for told in measured],
            ),
            compared(
                f"{name}, {_CALLERS} callers, p50, ÷ {other}",
                "ms",
                [told[ours].p50 for told in measured],
                [told[side].p50 for told in measured],
            ),
            compared(f"{name}, one caller, p50, ÷ {other}", "ms", one[ours], one[side]),
        )
    ]
    return figures, sum(told[ours].replies for told in rounds) + _ONE_BY_ONE[0] * _ONE_BY_ONE[1]


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


async def check(replies: int, rows: int, events: int, numbers: Numbers) -> None:
    """End with a sentence unless each reply stands for one row and one event, and each call was answered with OK."""
    answered: Counter[str] = Counter()
    for name, count in (await numbers.now()).items():
        if call := _ANSWERED.fullmatch(name):
            answered[call[1]] += int(count)
    if (rows, events, answered) != (replies, replies, {"OK": replies}):
        sys.exit(f"{replies} replies, but {rows} rows, {events} events, and answered were {dict(answered)}")
