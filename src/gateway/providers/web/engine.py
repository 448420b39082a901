"""The engine: one process at a time, brought up again whenever it goes down."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from grpc import aio

from gateway.ports.meter import EngineMeter
from gateway.ports.provider import LineDown
from gateway.providers.web.engine_process import EngineProcess, engine_process
from gateway.providers.web.failures import EngineFailed, EngineMissing
from gateway.providers.web.options import EngineOptions
from gateway.providers.web.renewals import Renewals
from gateway.providers.web.switchboard import Switchboard
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceStub

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

_log = structlog.get_logger(__name__)

_PROBE_EVERY: Final = 10.0
_PROBE_PATIENCE: Final = 20.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_PROVEN_AFTER: Final = 60.0
"""Seconds after which an engine's end is taken for an accident, and the next one is started without delay."""

_CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 32 * 1024 * 1024),
    ("grpc.max_send_message_length", 32 * 1024 * 1024),
    ("grpc.enable_retries", 0),  # what is sent twice is decided by the outbox alone
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
)


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """An engine that answers: how it is asked, what it tells, and how leases are renewed."""

    stub: EngineServiceAsyncStub
    switchboard: Switchboard
    renewals: Renewals

    @classmethod
    def behind(cls, stub: EngineServiceAsyncStub) -> RunningEngine:
        """The engine that this stub asks."""
        return cls(stub, Switchboard(stub), Renewals(stub))


class Engine:
    """Keeps one engine running while `keep` runs; `number` tells it from the others of this process."""

    def __init__(self, options: EngineOptions, number: int, meter: EngineMeter) -> None:
        self._options = options
        self._number = number
        self._meter = meter
        self._running: RunningEngine | None = None
        self._first_start: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.trouble = ""

    @property
    def is_up(self) -> bool:
        """Whether one answers now."""
        return self._running is not None

    def running(self) -> RunningEngine:
        """The one that answers now. Raises LineDown if there is none."""
        if self._running is None:
            raise LineDown(self.trouble)
        return self._running

    async def started(self) -> None:
        """Wait until one answers for the first time. Raises EngineFailed if it does not."""
        await asyncio.shield(self._first_start)

    async def keep(self) -> None:
        """Start one after the other, for ever; but give up if the first does not even start."""
        pause = _SHORTEST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            await self._run()
            if not self._first_start.done():
                self._first_start.set_exception(EngineFailed(self.trouble))
                return
            if asyncio.get_running_loop().time() - began > _PROVEN_AFTER:
                pause = _SHORTEST_PAUSE
            _log.error(
                "An engine is gone and is started again", engine=self._number, why=self.trouble, in_seconds=pause
            )
            self._meter.engine_restarted(self._number)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run(self) -> None:
        """Run one engine until it ends; `trouble` tells why it did."""
        try:
            with tempfile.TemporaryDirectory(prefix="wagate-engine-") as folder:
                socket = Path(folder, "engine.sock")
                async with _channel(socket) as stub, engine_process(self._options, socket) as process:
                    await self._attend(process, RunningEngine.behind(stub))
        except* EngineFailed as failures:
            self.trouble = str(failures.exceptions[0])

    async def _attend(self, process: EngineProcess, engine: RunningEngine) -> None:
        """Let an engine be used until it fails."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(process.watch(), name="engine process")
                await self._check(process, engine.stub)
                tasks.create_task(engine.switchboard.follow(), name="engine switchboard")
                await engine.switchboard.following()
                self._running = engine
                self._meter.engine_up(self._number, up=True)
                if not self._first_start.done():
                    self._first_start.set_result(None)
                await _probe(engine.stub)
        finally:
            self._running = None
            self._meter.engine_up(self._number, up=False)

    async def _check(self, process: EngineProcess, stub: EngineServiceAsyncStub) -> None:
        """Wait until the engine answers, and make sure that it is ours and dials what it was told to."""
        described = await _describe(stub, timeout=self._options.start_timeout.total_seconds())
        wanted = self._options.lab.address if self._options.lab else ""
        if described.process_id != process.process_id or described.lab_address != wanted:
            raise EngineFailed("another engine than the one that was started answers")
        _log.info(
            "The engine is up",
            engine=self._number,
            process_id=described.process_id,
            version=described.version,
            whatsmeow_version=described.whatsmeow_version,
            lab_address=described.lab_address,
        )


def check_program(program: Path) -> None:
    """See that there is a program to start.

    Raises:
        EngineMissing: there is none.
    """
    if not os.access(program, os.X_OK):
        raise EngineMissing(f"engine.binary: there is no program at {program}; `make build` makes it")


@asynccontextmanager
async def _channel(socket: Path) -> AsyncIterator[EngineServiceAsyncStub]:
    async with aio.insecure_channel(f"unix:{socket}", options=_CHANNEL_OPTIONS) as channel:
        yield EngineServiceStub(channel)


async def _probe(stub: EngineServiceAsyncStub) -> None:
    """Ask the engine every 10 s whether it is alive; raise EngineFailed when it does not answer within 20 s."""
    while True:
        await asyncio.sleep(_PROBE_EVERY)
        await _describe(stub, timeout=_PROBE_PATIENCE)


async def _describe(stub: EngineServiceAsyncStub, *, timeout: float) -> pb.GetEngineResponse:
    call = stub.GetEngine(pb.GetEngineRequest(), timeout=timeout, wait_for_ready=True)
    try:
        return await call
    except aio.AioRpcError as error:
        raise EngineFailed(f"the engine does not answer: {error.code().name}") from error
    finally:
        call.cancel()
