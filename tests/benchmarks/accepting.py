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
    """Measure the rate of 64 callers, and the time of one, each as a ratio to the echo in the same run."""
    shops = await house.shops(SESSIONS)
    for shop in shops:
        await shop.stop()
    bodies = [_request(shop, place) for place, shop in enumerate(shops)]
    replies = 0
    async with a_bare_server(house.folder) as address:
        ours, bare = _Side(house.gateway.address, _SEND), _Side(address, echo.PATH)
        pairs = [pair async for pair in _rounds(house.folder, ours, bare, bodies)]
        replies += sum(sent.replies for sent, _ in pairs)
        one, one_bare = await _one_by_one(ours, bare, bodies)
        replies += _ONE_BY_ONE[0] * _ONE_BY_ONE[1]
    await _check(house, replies)
    measured = pairs[1:]
    return [
        compared(
            f"SendMessage, {_CALLERS} callers, ÷ bare echo",
            "calls/s",
            [sent.rate for sent, _ in measured],
            [echoed.rate for _, echoed in measured],
        ),
        compared(
            f"SendMessage, {_CALLERS} callers, p50, ÷ bare echo",
            "ms",
            [sent.p50 for sent, _ in measured],
            [echoed.p50 for _, echoed in measured],
        ),
        compared("SendMessage, one caller, p50, ÷ bare echo", "ms", one, one_bare),
    ]


def _request(shop: Shop, place: int) -> SendMessageRequest:
    content = content_pb2.Content(text=content_pb2.Text(text=_TEXT))
    return SendMessageRequest(session_id=shop.session_id, to=f"+4477009{place:05}", content=content)


async def _rounds(
    folder: Path, ours: _Side, bare: _Side, bodies: Sequence[SendMessageRequest]
) -> AsyncIterator[tuple[Round, Round]]:
    """Rounds of both sides in turn, over other sessions in each; the first, a short one, is for warming up."""
    calls = {ours: 200, bare: 200}
    for number in range(_ROUNDS + 1):
        chosen = [bodies[(number * _BODIES_AT_ONCE + place) % len(bodies)] for place in range(_BODIES_AT_ONCE)]
        pair = {}
        for side in (ours, bare) if number % 2 else (bare, ours):
            pair[side] = await load(folder, side.url, chosen, streams=_CALLERS // _BODIES_AT_ONCE, calls=calls[side])
            calls[side] = round(pair[side].rate * _SECONDS / _BODIES_AT_ONCE)
        yield pair[ours], pair[bare]


async def _one_by_one(
    ours: _Side, bare: _Side, bodies: Sequence[SendMessageRequest]
) -> tuple[list[float], list[float]]:
    """The median time of one caller's calls, milliseconds, of each round: of SendMessage, and of the echo."""
    rounds, calls = _ONE_BY_ONE
    of_ours, of_bare = [], []
    for _ in range(rounds):
        of_ours.append(await _alone(ours, SendMessageResponse, [bodies[n % len(bodies)] for n in range(calls)]))
        of_bare.append(await _alone(bare, SendMessageRequest, [bodies[n % len(bodies)] for n in range(calls)]))
    return of_ours, of_bare


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
