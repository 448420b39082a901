"""`wagate api --processes 2`: two processes on one port, which one parent keeps running."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from grpc import aio

from tests.stage.children import Child, child
from tests.stage.numbers import Numbers
from tests.stage.postgres import PostgresServer
from tests.stage.processes import gone
from tests.stage.programs import installed
from tests.stage.waiting import eventually
from wagate.v1 import system_service_pb2
from wagate.v1.system_service_pb2_grpc import SystemServiceStub

pytestmark = pytest.mark.timeout(120)

SOON = 30.0


@dataclass
class Pair:
    """Two API processes, and their parent."""

    parent: Child
    address: str
    numbers: Numbers
    process_ids: list[int]

    async def ask(self) -> None:
        """Ask for the server's limits, over a connection of its own."""
        async with aio.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            request = system_service_pb2.GetServerInfoRequest()
            await SystemServiceStub(channel).GetServerInfo(request, wait_for_ready=True, timeout=SOON)

    async def answered(self, process: int) -> float:
        """How many calls a process has answered."""
        return (await self.numbers.now())[f"wagate_calls_total{{OK,SystemService/GetServerInfo,{process}}}"]

    async def both_answer(self) -> bool:
        """Ask once more; whether each has answered by now."""
        await self.ask()
        return bool(await self.answered(1) and await self.answered(2))


@asynccontextmanager
async def started(folder: Path, postgres: PostgresServer) -> AsyncIterator[Pair]:
    async with postgres.database() as database:
        listening = ("--grpc.listen", "127.0.0.1:0", "--metrics.listen", "127.0.0.1:0")
        command = (installed("wagate"), "api", "--processes", "2", *listening)
        async with child(*command, log=folder / "api.log", environment={"WAGATE_STORE__URL": database}) as parent:
            ready = json.loads(await parent.said())
            yield Pair(parent, ready["grpc"], Numbers(f"http://{ready['metrics']}/metrics"), ready["processes"])


async def test_both_answer_at_one_address_and_one_that_dies_is_started_again(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with started(tmp_path, postgres) as pair:
        await eventually(pair.both_answer, SOON)
        os.kill(pair.process_ids[0], signal.SIGKILL)
        await gone(pair.process_ids[0], within=SOON)
        await pair.ask()
        await pair.numbers.until("wagate_process_restarts_total{1}", 1, within=SOON)
        await eventually(pair.both_answer, SOON)
        assert (await pair.numbers.now())["wagate_process_restarts_total{2}"] == 0
        assert await pair.parent.stop() == 0
        await asyncio.gather(*(gone(process_id, within=0.1) for process_id in pair.process_ids))


@pytest.mark.slow
async def test_one_that_hangs_is_killed_and_started_again(tmp_path: Path, postgres: PostgresServer) -> None:
    async with started(tmp_path, postgres) as pair:
        await eventually(pair.both_answer, SOON)
        os.kill(pair.process_ids[0], signal.SIGSTOP)
        await gone(pair.process_ids[0], within=SOON)
        await eventually(pair.both_answer, SOON)
        numbers = await pair.numbers.now()
        assert numbers["wagate_process_hangs_total{1}"] == numbers["wagate_process_restarts_total{1}"] == 1
        assert numbers["wagate_process_hangs_total{2}"] == numbers["wagate_process_restarts_total{2}"] == 0


async def test_they_end_by_themselves_when_their_parent_is_killed(tmp_path: Path, postgres: PostgresServer) -> None:
    async with started(tmp_path, postgres) as pair:
        await pair.parent.kill()
        await asyncio.gather(*(gone(process_id, within=SOON) for process_id in pair.process_ids))
