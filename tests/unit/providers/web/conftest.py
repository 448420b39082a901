"""A line through a scripted engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.domain.leases import Lease
from gateway.providers.web.engine import RunningEngine
from gateway.providers.web.engine_pool import Seat
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.web_line import WebLine
from tests.unit.providers.web.scripted_engine import ScriptedEngine, served
from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceStub


@pytest.fixture
def scripted() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def running(scripted: ScriptedEngine, tmp_path: Path) -> AsyncIterator[RunningEngine]:
    """The scripted engine, connected and followed."""
    async with served(scripted, tmp_path / "engine.sock") as channel:
        stub = EngineServiceStub(channel)
        engine = RunningEngine.behind(stub)
        following = asyncio.create_task(engine.switchboard.follow())
        await engine.switchboard.following()
        yield engine
        following.cancel()
        with suppress(asyncio.CancelledError, EngineFailed):
            await following


@pytest.fixture
def line(running: RunningEngine) -> WebLine:
    """The line of session s_1 under fence 1."""
    return open_line(running, "s_1", 1)


def open_line(running: RunningEngine, session_uid: str, fence: int) -> WebLine:
    """A line of any session."""
    lease = Lease("default", session_uid, "owner", fence)
    return WebLine(Seat(running, lambda: None), running.switchboard.plug_in(session_uid, fence), lease, device=None)
