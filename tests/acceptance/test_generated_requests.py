"""Nothing that a caller can write is a fault of the gateway: ten thousand requests, sound, odd and nonsense."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Final

import pytest
from google.protobuf.message import Message
from grpc import StatusCode, aio

from tests.acceptance.made_up import MadeUp
from tests.acceptance.refusal import Refusal
from tests.acceptance.scenery import RPCS, Scenery, call
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab

SEED: Final = int(os.environ.get("TEST_SEED", "1"))
MANY: Final = 10_000
FEWER: Final = 3_000
AT_ONCE: Final = 200
PATIENCE: Final = 2.5
FAULTS: Final = {StatusCode.UNKNOWN, StatusCode.INTERNAL, StatusCode.UNIMPLEMENTED, StatusCode.DATA_LOSS}
SPARE: Final = ("spare", "idle")
UNLIKE_THE_REST: Final = {
    **dict.fromkeys(("CreateSession", "DeleteSession", "StopSession", "RestartSession", "StartSession"), SPARE),
    **dict.fromkeys(("PairSession", "RequestPairingCode", "AnswerPairingChallenge"), ("never-paired", "connected")),
    **dict.fromkeys(("GetPairingQr", "CancelPairing"), ("never-paired",)),
    "LogoutSession": ("logged-out",),
}
"""Which sessions RPCs are shown that would end what the others need."""

ALL: Final = ("connected", "connected", "resting", "logged-out", "never-paired", "idle", "spare")


@pytest.fixture(scope="module")
async def scenery(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scenery]:
    folder = tmp_path_factory.mktemp("generated")
    async with gateway_process(folder / "gateway", {**lab.environment, "WAGATE_LOG__LEVEL": "info"}) as gateway:
        scenery = Scenery(gateway, lab)
        await scenery.build(cursor_of_another_log="")
        yield scenery


def made_up(scenery: Scenery, many: int, *, sparing: bool) -> Iterator[tuple[str, Message]]:
    """RPCs and their requests, the more of one kind the more it has fields. `sparing` ones let the sessions be that the
    others need.
    """
    source = Random(SEED)
    named = scenery.named
    messages = [named[name] for name in ("to ada", "to bob", "from ada", "from carol", "waiting")]
    people = [named["ada"], named["bob"]]
    known = {
        "message_id": messages,
        "message_ids": messages,
        "to": people,
        "chat": people,
        "address": people,
        "addresses": people,
        "chat_ids": people,
        "phone_numbers": people,
        "phone_number": people,
        "text": ["Hello", "Ask @ about it"],
        "after_cursor": [named["cursor"]],
        "page_token": ["", "", "", named["page token of messages"], named["page token of sessions"]],
        "kinds": ["message.received", "session.*"],
        "request_id": ["", "", "", "used", *map(str, range(100))],
        "expected_phone_number": ["", "+4915112345678"],
        "provider": ["", "web"],
        "etag": [""],
        "paths": ["display_name", "metadata"],
    }
    rich = [1 + len(method.input_type.fields) for method in RPCS.values()]
    for rpc in source.choices(list(RPCS), weights=rich, k=many):
        sessions = UNLIKE_THE_REST.get(rpc, ("connected", "connected", "resting")) if sparing else ALL
        yield rpc, MadeUp(source, {**known, "session_id": sessions}).request(RPCS[rpc].input_type)


async def outcome(channel: aio.Channel, rpc: str, request: Message) -> StatusCode:
    """Make a call; the code that it ends with. A refusal by the server has all the details that it ought to have."""
    try:
        await call(channel, rpc, request, patience=0.5 if RPCS[rpc].server_streaming else PATIENCE)
    except aio.AioRpcError as error:
        if error.code() not in (StatusCode.DEADLINE_EXCEEDED, *FAULTS):
            Refusal(error)
        return error.code()
    return StatusCode.OK


@pytest.mark.timeout(180)
async def test_no_request_meets_a_fault(scenery: Scenery) -> None:
    told = await ask(scenery, made_up(scenery, MANY, sparing=True))
    assert told.total() == MANY
    assert {rpc for rpc, code in told if code is StatusCode.OK} >= set(RPCS) - BY_CHANCE


@pytest.mark.timeout(120)
async def test_no_request_meets_a_fault_while_sessions_come_and_go(scenery: Scenery) -> None:
    told = await ask(scenery, made_up(scenery, FEWER, sparing=False))
    assert told.total() == FEWER


async def ask(scenery: Scenery, waiting: Iterator[tuple[str, Message]]) -> Counter[tuple[str, StatusCode]]:
    """Make all these calls, many at a time, and see that none meets a fault; how often each was answered with what."""
    sys.stdout.write(f"TEST_SEED={SEED}\n")
    told: Counter[tuple[str, StatusCode]] = Counter()
    faults: list[str] = []

    async def caller(channel: aio.Channel) -> None:
        for rpc, request in waiting:
            code = await outcome(channel, rpc, request)
            told[rpc, code] += 1
            if code in FAULTS:
                faults.append(f"{rpc} {code.name}: {request!r}"[:2000])

    async with aio.insecure_channel(scenery.gateway.address) as channel, asyncio.TaskGroup() as callers:
        for _ in range(AT_ONCE):
            callers.create_task(caller(channel))
    assert not faults, "\n".join(faults[:10])
    assert scenery.gateway.process.runs
    assert not [line for line in scenery.gateway.process.log.read_text().splitlines() if is_fault(line)]
    return told


BY_CHANCE: Final = {"AnswerPairingChallenge", "CancelPairing", "DrainWorker", "GetPairingQr", "RequestPairingCode"}
"""RPCs that go well only if a pairing attempt happens to be under way, that a lab has no use for, or that would take
the only worker away.
"""


def is_fault(line: str) -> bool:
    """Whether a line of the log tells of something that ought not to be."""
    ours = "whatsmeow: " not in line
    return ours and any(sign in line for sign in ("Traceback", '"level":"error"', '"level":"critical"', "panic:"))
