"""Every call has an id, a caller, and an end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import grpc
import pytest

from gateway.domain.access import Call
from gateway.transport.exchange import current_call
from gateway.transport.interceptors import context
from tests.unit.transport.served import A_REQUEST, Answer, Served, refusal, serving
from wagate.v1 import message_service_pb2 as messages


async def never(_request: object) -> object:
    return await asyncio.Event().wait()


def noting(calls: list[Call]) -> Answer:
    async def answer(_request: object) -> messages.GetMessageResponse:
        calls.append(current_call())
        return messages.GetMessageResponse()

    return answer


async def trailer(served: Served, *metadata: tuple[str, str]) -> str:
    call = served.messages.GetMessage(A_REQUEST, metadata=metadata)
    await call
    return str(dict(await call.trailing_metadata())["x-correlation-id"])


async def test_a_correlation_id_comes_back_and_reaches_the_service(served: Served) -> None:
    calls: list[Call] = []
    served.told.answer = noting(calls)
    assert await trailer(served, ("x-correlation-id", "order-4711/a")) == "order-4711/a"
    assert [call.correlation_id for call in calls] == ["order-4711/a"]


@pytest.mark.parametrize("unusable", ["", "two words", "x" * 129])
async def test_a_correlation_id_is_made_where_there_is_none_to_use(served: Served, unusable: str) -> None:
    made = await trailer(served, ("x-correlation-id", unusable))
    assert UUID(made).version == 7
    assert made != await trailer(served)


async def test_the_deadline_of_the_caller_reaches_the_service(served: Served) -> None:
    calls: list[Call] = []
    served.told.answer = noting(calls)
    await served.get(timeout=5)
    assert 4 < calls[0].deadline - asyncio.get_running_loop().time() < 5.1


async def test_a_call_without_a_deadline_gets_30_seconds(served: Served) -> None:
    calls: list[Call] = []
    served.told.answer = noting(calls)
    await served.get()
    assert 29 < calls[0].deadline - asyncio.get_running_loop().time() <= 30


async def test_the_default_deadline_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "WITHOUT_DEADLINE", 0.05)
    async with serving(tmp_path) as served:
        served.told.answer = never
        refused = await refusal(served.get())
    assert (refused.code, refused.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "OUTCOME_OPEN")


async def test_a_timeout_of_a_service_is_not_taken_for_the_deadline(served: Served) -> None:
    async def overdue(_request: object) -> object:
        async with asyncio.timeout(0.01):
            return await never(_request)

    served.told.answer = overdue
    assert (await refusal(served.get())).reason == "INTERNAL"


async def test_the_deadline_of_a_caller_ends_the_call(served: Served) -> None:
    served.told.answer = never
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await served.get(timeout=0.05)
    assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
