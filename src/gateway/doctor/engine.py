"""The engine: whether it is there, of our version, starts and answers. It is started beside the one that may run, and
told to open no session.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grpc import aio

from gateway.doctor.findings import Finding, fine, problem, warning
from gateway.programs import ProgramMissing, find_program
from gateway.providers.web.engine_process import EngineProcess, engine_process
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.settings import Lab, Settings
from gateway.version import VERSION
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceStub

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

_ENDING_SECONDS: Final = 10.0


async def engine(settings: Settings) -> list[Finding]:
    """Start an engine, ask it what it is, and end it."""
    if "web" not in settings.providers.enabled:
        return [fine("engine.found", "None is needed: the provider web is not enabled.")]
    try:
        program = find_program(settings.engine.binary, "wagate-engine")
    except ProgramMissing as missing:
        return [problem("engine.found", str(missing), "Build it with `make build`, or set engine.binary.")]
    if not os.access(program, os.X_OK):
        return [problem("engine.found", f"{program} cannot be run.", f"Let it be run: chmod +x {program}")]
    return [fine("engine.found", f"{program} is there."), *await _answers(settings, program)]


def version(of_engine: str) -> Finding:
    """Judge an engine's version."""
    if of_engine == VERSION:
        return fine("engine.version", f"It is of this gateway's version, {VERSION}.")
    said = f"It is of version {of_engine}, and this gateway of {VERSION}."
    return warning("engine.version", said, "Install both of one version: others are not tried together.")


async def _answers(settings: Settings, program: Path) -> list[Finding]:
    try:
        async with asyncio.timeout(settings.engine.start_timeout.total_seconds() + _ENDING_SECONDS):
            described = await _described(settings, program)
    except EngineFailed as failure:
        return [_silent(f"It does not start: {failure}.", program)]
    except TimeoutError:
        return [_silent("It does not answer in time.", program)]
    said = f"It starts and answers (whatsmeow {described.whatsmeow_version})."
    return [fine("engine.answers", said), version(described.version)]


def _silent(said: str, program: Path) -> Finding:
    advice = f"See whether `{program} -help` runs on this machine; give a slow one more engine.start_timeout."
    return problem("engine.answers", said, advice)


async def _described(settings: Settings, program: Path) -> pb.GetEngineResponse:
    """Ask an engine of our own what it is."""
    sessions_folder = settings.data.folder.resolve() / "sessions"
    options = EngineOptions(program, sessions_folder, lab=_lab(settings.lab), log_level="error")
    with tempfile.TemporaryDirectory(prefix="wagate-doctor-") as folder:
        socket = Path(folder, "engine.sock")
        async with engine_process(options, socket) as process, aio.insecure_channel(f"unix:{socket}") as channel:
            return await _while_it_runs(process, EngineServiceStub(channel))


async def _while_it_runs(process: EngineProcess, stub: EngineServiceAsyncStub) -> pb.GetEngineResponse:
    """What the engine answers; an engine that ends instead ends the waiting, with its last words."""
    call = stub.GetEngine(pb.GetEngineRequest(), wait_for_ready=True)
    watching = asyncio.create_task(process.watch(), name="engine process")
    watching.add_done_callback(lambda _: call.cancel())
    try:
        return await call
    except asyncio.CancelledError:
        if watching.done() and (ended := watching.exception()):
            raise ended from None
        raise
    except aio.AioRpcError as error:
        raise EngineFailed(f"it answers {error.code().name}") from error
    finally:
        watching.cancel()


def _lab(lab: Lab) -> LabEndpoint | None:
    return LabEndpoint(lab.address, lab.root_key_hex, lab.ca_file) if lab.ca_file else None
