"""What an operator sees of a server beside its calls: health, reflection, addresses, and keys that are erased."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.acceptance.conftest import World
from tests.stage.programs import installed
from tests.stage.refusing import refused
from tests.stage.waiting import eventually
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import message_pb2, session_service_pb2

SERVICES = {"ContactService", "EventService", "MessageService", "PairingService", "SessionService", "SystemService"}
State = message_pb2.Message.State


async def output(*command: str | Path) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(20):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def curl(world: World, *arguments: str) -> str:
    """What `buf curl`, which knows of the contract only what reflection tells, says."""
    socket = world.gateway.address.removeprefix("unix:")
    asking = ("curl", "--protocol", "grpc", "--http2-prior-knowledge", "--unix-socket", socket)
    status, said, complained = await output(installed("buf"), *asking, *arguments)
    assert status == 0, complained
    return said


@pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
async def test_tools_learn_the_contract_by_reflection_and_call_by_it(world: World, version: str) -> None:
    listed = await curl(world, "--reflect-protocol", version, "--list-services", "http://gateway")
    assert {f"wagate.v1.{name}" for name in SERVICES} < set(listed.split())
    method = "http://gateway/wagate.v1.SystemService/GetServerInfo"
    told = json.loads(await curl(world, "--reflect-protocol", version, "-d", "{}", method))
    assert told["contractVersion"] == "v1"


async def test_health_tells_each_service_to_serve(world: World) -> None:
    async with aio.insecure_channel(world.gateway.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        for name in ("", *(f"wagate.v1.{service}" for service in SERVICES)):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("option", ["grpc.listen", "metrics.listen"])
async def test_a_server_without_a_key_is_not_reached_from_beyond_its_machine(tmp_path: Path, option: str) -> None:
    serve = ["serve", f"--{option}", "0.0.0.0:0", "--data.folder", str(tmp_path / "data")]
    status, said, complained = await output(installed("wagate"), *serve)
    assert (status, said) == (2, "")
    assert complained == f"wagate: {option} should be a loopback address, or access.key should be set\n"


async def test_a_deleted_session_leaves_no_keys_and_ends_its_outbox(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    keys = world.gateway.folder / "data" / "sessions"
    request = session_service_pb2.GetSessionRequest(session_id=shop.session_id)
    uid = (await world.gateway.sessions.GetSession(request)).session.uid
    await shop.stop()
    waiting = await shop.accept(ada.phone_number, "too late")
    assert list(keys.glob(f"{uid}*"))
    async with shop.events() as events:
        await world.gateway.sessions.DeleteSession(session_service_pb2.DeleteSessionRequest(session_id=shop.session_id))
        ended, deleted = await events.next(), await events.next()
        assert ended.message_status_changed.message_id == waiting.message_id
        assert ended.message_status_changed.state == State.STATE_FAILED
        assert ended.message_status_changed.failure.reason == reasons.ERROR_REASON_SESSION_DELETED
        assert (deleted.kind, deleted.session_uid) == ("session.deleted", uid)
    await eventually(lambda: not list(keys.glob(f"{uid}*")))
    with refused() as refusal:
        await shop.status()
    assert refusal.reason == "SESSION_NOT_FOUND"


async def test_a_session_deleted_while_it_is_connected_loses_its_line_and_its_keys(world: World) -> None:
    shop = await world.shop()
    keys = world.gateway.folder / "data" / "sessions"
    request = session_service_pb2.GetSessionRequest(session_id=shop.session_id)
    uid = (await world.gateway.sessions.GetSession(request)).session.uid
    async with world.lab.oracle() as oracle:
        delete = session_service_pb2.DeleteSessionRequest(session_id=shop.session_id, force=True)
        await world.gateway.sessions.DeleteSession(delete)
        gone = await oracle.next()
    assert gone.account == shop.phone_number
    await eventually(lambda: not list(keys.glob(f"{uid}*")))


async def test_what_is_written_is_for_nobody_else(world: World) -> None:
    files = [path for path in (world.gateway.folder / "data").rglob("*") if path.is_file()]
    assert world.gateway.database in files
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
