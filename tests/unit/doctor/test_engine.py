"""The engine is found, started, asked and ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.doctor.engine import engine, version
from gateway.doctor.findings import Level
from gateway.version import VERSION
from tests.stage.programs import built
from tests.unit.doctor.conftest import With


async def test_the_engine_that_was_built_starts_and_answers(settings_with: With) -> None:
    findings = await engine(settings_with(engine={"binary": str(built("wagate-engine"))}))
    assert [finding.check for finding in findings] == ["engine.found", "engine.answers", "engine.version"]
    assert {finding.level for finding in findings} == {Level.OK}


async def test_no_engine_is_a_problem(settings_with: With, tmp_path: Path) -> None:
    (finding,) = await engine(settings_with(engine={"binary": str(tmp_path / "none")}))
    assert (finding.check, finding.level) == ("engine.found", Level.PROBLEM)


async def test_no_engine_is_missed_where_none_is_needed(settings_with: With, tmp_path: Path) -> None:
    settings = settings_with(engine={"binary": str(tmp_path / "none")}, providers={"enabled": "simulator"})
    assert {finding.level for finding in await engine(settings)} == {Level.OK}


async def test_a_file_that_is_no_program_is_a_problem(settings_with: With, tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("")
    (finding,) = await engine(settings_with(engine={"binary": str(tmp_path / "engine")}))
    assert finding.advice == f"Let it be run: chmod +x {tmp_path}/engine"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo it has no heart >&2; exit 3",
            "It does not start: the engine ended with exit status 3: it has no heart.",
        ),
        ("exec cat", "It does not answer in time."),
    ],
)
async def test_an_engine_that_ends_or_stays_silent_is_a_problem(
    settings_with: With, tmp_path: Path, script: str, said: str
) -> None:
    program = tmp_path / "engine"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    _, finding = await engine(settings_with(engine={"binary": str(program), "start_timeout": "2s"}))
    assert (finding.level, finding.said) == (Level.PROBLEM, said)


def test_an_engine_of_another_version_is_warned_of() -> None:
    assert version(VERSION).level is Level.OK
    assert version("0.0.7").level is Level.WARNING
