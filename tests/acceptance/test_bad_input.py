"""A request that is wrong is refused: with the code, the reason and the field that the table says, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from grpc import StatusCode, aio

from tests.acceptance.refusal import Refusal, facts_named, personal
from tests.acceptance.scenery import Scenery, call, table
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from wagate.v1 import event_service_pb2

KEY: Final = "a key of thirty-two characters.."
KEYS: Final = {"none": "", "wrong": "Bearer another key", "bare": KEY, "right": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Stage:
    """A gateway with the scenery, and one that wants a key."""

    scenery: Scenery
    channel: aio.Channel
    locked: aio.Channel


@pytest.fixture(scope="module")
async def stage(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("bad-input")
    lock = {"WAGATE_ACCESS__KEY": KEY, "WAGATE_ACCESS__SCOPES": "sessions:read,events:read"}
    async with (
        gateway_process(folder / "open", lab.environment) as open_gateway,
        gateway_process(folder / "locked", {**lab.environment, **lock}) as locked_gateway,
        aio.insecure_channel(open_gateway.address) as channel,
        aio.insecure_channel(locked_gateway.address) as locked,
    ):
        scenery = Scenery(open_gateway, lab)
        log = await call(locked, "ListEvents", event_service_pb2.ListEventsRequest(), key=KEYS["right"])
        assert isinstance(log, event_service_pb2.ListEventsResponse)
        await scenery.build(cursor_of_another_log=log.next_cursor)
        yield Stage(scenery, channel, locked)


def name_of(case: dict[str, Any]) -> str:
    return f"{case['rpc']}: {case['case']}"


@pytest.mark.parametrize("case", table(), ids=name_of)
async def test_a_call_is_refused_because_of(stage: Stage, case: dict[str, Any]) -> None:
    request = stage.scenery.request(case["rpc"], case["request"])
    channel = stage.locked if "key" in case else stage.channel
    before = await stage.scenery.newest_cursor()
    try:
        await call(channel, case["rpc"], request, key=KEYS[case.get("key", "none")])
    except aio.AioRpcError as error:
        refusal = Refusal(error)
    else:
        assert case["code"] == StatusCode.OK.name, "it was not refused"
        return
    assert (refusal.code, refusal.reason) == (case["code"], case.get("reason")), refusal.message
    assert refusal.fields == ([case["field"]] if "field" in case else [])
    assert set(refusal.facts) == facts_named(refusal.reason)
    assert refusal.message
    assert not [secret for secret in personal(request) if refusal.tells(secret)]
    assert await stage.scenery.newest_cursor() == before, "something happened all the same"


def test_each_case_of_the_table_is_there_once() -> None:
    names = [name_of(case) for case in table()]
    assert len(names) == len(set(names))
