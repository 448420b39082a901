"""`wagate`: what an operator sees of it."""

from __future__ import annotations

import asyncio
import json
import socket
import tomllib
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

import pytest
from grpc import aio

from tests.stage.children import child
from tests.stage.programs import built, installed
from wagate.v1 import session_service_pb2
from wagate.v1.session_service_pb2_grpc import SessionServiceStub

_STORY = 90.0


async def told(*arguments: str, folder: Path, within: float = 20.0) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of one command, run to its end in a folder."""
    process = await asyncio.create_subprocess_exec(
        installed("wagate"), *arguments, cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(within):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


def serving(folder: Path) -> tuple[str, ...]:
    """A server of this folder on ports of its own."""
    engine = str(built("wagate-engine"))
    nowhere = ("--grpc.listen", "127.0.0.1:0", "--metrics.listen", "127.0.0.1:0")
    return (str(installed("wagate")), "serve", *nowhere, "--engine.binary", engine, "--data.folder", str(folder))


async def test_serve_says_where_it_serves_and_ends_well_when_told_to(tmp_path: Path) -> None:
    async with child(*serving(tmp_path / "data"), log=tmp_path / "log") as server:
        ready = json.loads(await server.said())
        assert ready["grpc"].startswith("127.0.0.1:")
        assert ready["metrics"].startswith("127.0.0.1:")
        assert await server.stop() == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert lines[-1]["message"] == "The gateway has stopped"


async def test_a_second_server_on_a_data_folder_refuses_with_a_sentence(tmp_path: Path) -> None:
    async with child(*serving(tmp_path / "data"), log=tmp_path / "log") as server:
        await server.said()
        status, _, complaint = await told(*serving(tmp_path / "data")[1:], folder=tmp_path)
    assert status == 1
    assert complaint.startswith(f"wagate: Another wagate (process {server.process_id}) works in")


async def test_a_server_refuses_to_leave_sessions_without_their_provider(tmp_path: Path) -> None:
    simulating = (*serving(tmp_path / "data"), "--providers.enabled", "simulator")
    async with child(*simulating, log=tmp_path / "log") as server:
        ready = json.loads(await server.said())
        async with aio.insecure_channel(ready["grpc"]) as channel:
            await SessionServiceStub(channel).CreateSession(session_service_pb2.CreateSessionRequest())
        assert await server.stop() == 0
    status, _, complaint = await told(*serving(tmp_path / "data")[1:], folder=tmp_path)
    assert status == 1
    sentence = "There are sessions of the provider simulator: providers.enabled should name it."
    assert complaint.splitlines()[-1] == f"wagate: {sentence}"


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("config", "--effective")])
async def test_wrong_settings_are_refused_before_anything_is_done(tmp_path: Path, command: tuple[str, ...]) -> None:
    status, said, complaint = await told(*command, "--leases.ttl", "15", folder=tmp_path)
    assert status == 2
    assert complaint == "wagate: leases.ttl should be a span with its unit, such as 15s, 250ms, 24h or 1h30m\n"
    assert said == ""
    assert list(tmp_path.iterdir()) == []


async def test_config_prints_what_can_be_set_as_toml(tmp_path: Path) -> None:
    status, said, _ = await told("config", folder=tmp_path)
    assert status == 0
    assert tomllib.loads(said)["grpc"]["listen"] == "127.0.0.1:50051"
    (tmp_path / "wagate.toml").write_text(said.replace("127.0.0.1:50051", "127.0.0.1:50052"))
    status, said, _ = await told("config", "--effective", "--access.key", "k" * 20, folder=tmp_path)
    assert tomllib.loads(said)["grpc"]["listen"] == "127.0.0.1:50052"
    assert "kkkk" not in said


async def test_migrate_goes_up_and_back(tmp_path: Path) -> None:
    status, said, _ = await told("migrate", folder=tmp_path)
    assert (status, said) == (0, "The database is as this version wants it.\n")
    status, said, _ = await told("migrate", "--back-to", "base", folder=tmp_path)
    assert (status, said) == (0, "The database is at base.\n")


async def test_the_demo_plays_its_story_and_leaves_nothing_running(tmp_path: Path) -> None:
    status, said, complaint = await told("demo", folder=tmp_path, within=_STORY)
    assert (status, complaint) == (0, "")
    for shown in ("▀", "connected", "message.accepted", "delivered", "read", "message.received", "nothing twice"):
        assert shown in said
    address = said.partition("serves gRPC on ")[2].split()[0]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address.rsplit(":", 1))
    assert list(tmp_path.iterdir()) == []


async def test_a_demo_that_is_interrupted_leaves_nothing_running(tmp_path: Path) -> None:
    async with child(str(installed("wagate")), "demo", log=tmp_path / "log") as playing:
        while b"serves gRPC on" not in (line := await playing.said()):
            pass
        address = line.decode().split()[-1]
        assert await playing.stop() == 130
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address.rsplit(":", 1))


async def test_a_step_that_fails_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # then somebody has it already
            taken.bind(("127.0.0.1", 50060))
            taken.listen()
        status, _, complaint = await told("demo", "--stay", folder=tmp_path)
    assert status == 1
    assert complaint.startswith("wagate demo: wagate-lab did not become ready")
    assert "address already in use" in complaint
