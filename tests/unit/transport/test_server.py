"""The server starts whole or not at all, tells what it serves, and stops in order."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from gateway.observability import PrometheusMeter
from gateway.ports.queue import QueueHealth
from gateway.ports.unit_of_work import StoreHealth
from gateway.settings.listening import CannotListen
from gateway.transport.rpcs import ContractIncomplete
from gateway.transport.server import GrpcServer
from tests.stage.waiting import SECONDS, eventually
from tests.unit.transport.served import A_REQUEST, QueueWithHealth, Served, StoreWithHealth, refusal, serving, settings
from wagate.v1 import event_service_pb2 as events
from wagate.v1 import message_service_pb2 as messages

Frame = events.StreamEventsResponse
KEY = "a-key-for-tests-only"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("service", ["", "wagate.v1.MessageService", "wagate.v1.EventService"])
async def test_health_is_open_and_tells_each_service(tmp_path: Path, service: str) -> None:
    async with serving(tmp_path, access={"key": KEY}) as served:
        health: Any = health_pb2_grpc.HealthStub(served.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING


async def test_while_the_store_takes_nothing_what_writes_does_not_serve_and_what_reads_does(served: Served) -> None:
    health: Any = health_pb2_grpc.HealthStub(served.channel)

    async def told(status: int, *services: str) -> bool:
        asked = [health.Check(health_pb2.HealthCheckRequest(service=service)) for service in services]
        return {answer.status for answer in await asyncio.gather(*asked)} == {status}

    watching = health.Watch(health_pb2.HealthCheckRequest())
    assert (await watching.read()).status == SERVING
    served.store.fares = StoreHealth(serving=False, message="The disk is full.")
    assert (await asyncio.wait_for(watching.read(), SECONDS)).status == NOT_SERVING
    await eventually(lambda: told(NOT_SERVING, "", "wagate.v1.MessageService"))
    assert await told(SERVING, "wagate.v1.EventService")
    served.store.fares = StoreHealth(serving=True)
    assert (await asyncio.wait_for(watching.read(), SECONDS)).status == SERVING


async def test_a_queue_that_rings_nowhere_is_told_under_its_own_name_and_all_else_serves(served: Served) -> None:
    health: Any = health_pb2_grpc.HealthStub(served.channel)
    watching = health.Watch(health_pb2.HealthCheckRequest(service="wagate.queue"))
    assert (await watching.read()).status == SERVING
    served.queue.fares = QueueHealth(serving=False, message="Redis is away.")
    assert (await asyncio.wait_for(watching.read(), SECONDS)).status == NOT_SERVING
    for service in ("", "wagate.v1.MessageService"):
        assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING
    served.queue.fares = QueueHealth(serving=True)
    assert (await asyncio.wait_for(watching.read(), SECONDS)).status == SERVING


def services_of(served: Served, version: str, **call: Any) -> Any:
    ask = served.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), **call)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services_in_both_versions(served: Served, version: str) -> None:
    response = await services_of(served, version).read()
    assert {"wagate.v1.MessageService", f"grpc.reflection.{version}.ServerReflection"} <= {
        service.name for service in response.list_services_response.service
    }


async def test_reflection_asks_for_the_key(tmp_path: Path) -> None:
    async with serving(tmp_path, access={"key": KEY}) as served:
        assert (await refusal(services_of(served, "v1").read())).reason == "KEY_MISSING"
        response = await services_of(served, "v1", metadata=(("authorization", f"Bearer {KEY}"),)).read()
    assert response.list_services_response.service


async def test_nothing_is_served_while_an_rpc_lacks_its_access() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="bare.proto", package="bare", syntax="proto3")
    file.message_type.add(name="Nothing")
    method = file.service.add(name="BareService").method.add(name="Do")
    method.input_type = method.output_type = ".bare.Nothing"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    service = pool.FindServiceByName("bare.BareService")
    with pytest.raises(ContractIncomplete, match=r"bare\.BareService\.Do lacks its wagate\.v1\.access"):
        GrpcServer(
            {service: object()},
            settings(),
            PrometheusMeter(),
            asyncio.Event(),
            StoreWithHealth().health,
            QueueWithHealth().health,
        )


async def test_a_taken_address_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path, "127.0.0.1:0") as served:
        with pytest.raises(CannotListen, match=f"nobody can listen on {served.server.address}"):
            async with serving(tmp_path, served.server.address):
                pass


async def test_a_socket_is_its_users_alone(served: Served) -> None:
    mode = Path(served.server.address.removeprefix("unix:")).stat().st_mode
    assert stat.S_IMODE(mode) & 0o077 == 0


async def test_stopping_lets_calls_end_tells_streams_and_refuses_new_ones(tmp_path: Path) -> None:
    entered, may_end = asyncio.Event(), asyncio.Event()

    async with serving(tmp_path) as served:

        async def answer(_request: object) -> messages.GetMessageResponse:
            entered.set()
            await may_end.wait()
            return messages.GetMessageResponse()

        async def frames() -> AsyncIterator[Frame]:
            yield Frame(checkpoint=Frame.Checkpoint(cursor="1"))
            await served.stopping.wait()
            yield Frame(goodbye=Frame.Goodbye(cursor="1"))

        served.told.answer, served.told.frames = answer, frames
        health: Any = health_pb2_grpc.HealthStub(served.channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watching.read()).status == SERVING
        stream = served.events.StreamEvents(events.StreamEventsRequest())
        await stream.read()
        call = asyncio.ensure_future(served.get())
        await asyncio.wait_for(entered.wait(), 5)

        stopped = asyncio.ensure_future(served.server.stop())
        assert (await watching.read()).status == NOT_SERVING
        assert (await stream.read()).WhichOneof("frame") == "goodbye"
        assert await stream.code() is grpc.StatusCode.OK
        refused = await refusal(served.messages.GetMessage(A_REQUEST))
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        assert not stopped.done()
        may_end.set()
        await asyncio.wait_for(call, 5)
        await asyncio.wait_for(stopped, 5)


async def test_what_does_not_end_within_the_grace_is_ended(tmp_path: Path) -> None:
    async with serving(tmp_path, shutdown={"grace": "100ms"}) as served:

        async def answer(_request: object) -> object:
            return await asyncio.Event().wait()

        served.told.answer = answer
        call = asyncio.ensure_future(served.get())
        await asyncio.wait_for(served.told.asked.wait(), 5)
        await asyncio.wait_for(served.server.stop(), 5)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
