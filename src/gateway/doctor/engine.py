"""The engine: whether it is there, of our version, starts and answers. It is started beside the one that may run, and
told to open no session.
"""

from __future__ import annotations

import os
from pathlib import Path

from gateway.doctor.findings import Finding, fine, problem, warning
from gateway.programs import ProgramMissing, find_program
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.lone_engine import lone_engine
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.settings import Lab, Settings
from gateway.version import VERSION
from wagate.engine.v1 import engine_service_pb2 as pb


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
    options = EngineOptions(
        program,
        settings.data.folder.resolve() / "sessions",
        lab=_lab(settings.lab),
        start_timeout=settings.engine.start_timeout,
        log_level="error",
    )
    async with lone_engine(options) as (_, described):
        return described


def _lab(lab: Lab) -> LabEndpoint | None:
    return LabEndpoint(lab.address, lab.root_key_hex, lab.ca_file) if lab.ca_file else None
