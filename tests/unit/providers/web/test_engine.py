"""An engine that does not start is said so at once."""

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.observability import PrometheusMeter
from gateway.providers.web.failures import EngineFailed, EngineMissing
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider


def program(folder: Path, script: str) -> Path:
    """A program that plays an engine with trouble."""
    path = folder / "wagate-engine"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_a_missing_program_is_named_with_its_setting(tmp_path: Path) -> None:
    options = EngineOptions(tmp_path / "nowhere", tmp_path / "sessions")
    with pytest.raises(EngineMissing, match=r"engine\.binary.*nowhere.*make build"):
        async with web_provider(options, PrometheusMeter()):
            pass


async def test_an_engine_that_ends_at_once_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    options = EngineOptions(program(tmp_path, "echo the flags are wrong >&2; exit 2"), tmp_path / "sessions")
    with pytest.raises(EngineFailed, match="exit status 2: the flags are wrong"):
        async with web_provider(options, PrometheusMeter()):
            pass


async def test_the_folder_of_the_keys_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "sessions"
    folder.mkdir(parents=True, mode=0o755)
    with pytest.raises(EngineFailed):
        async with web_provider(EngineOptions(program(tmp_path, "exit 1"), folder), PrometheusMeter()):
            pass
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_engine_is_told_its_lab_or_nothing_of_it(tmp_path: Path) -> None:
    socket = tmp_path / "engine.sock"
    plain = EngineOptions(tmp_path, tmp_path, connect_rate=2.5, ping_patience=timedelta(milliseconds=1500))
    told = ["--socket", str(socket), "--log-level", "info", "--connect-rate", "2.5"]
    told += ["--ping-every", "22s", "--ping-answer", "1.5s"]
    assert plain.arguments(socket) == told
    lab = LabEndpoint("127.0.0.1:8443", "ab" * 32, tmp_path / "ca.pem")
    with_lab = ["--lab-address", "127.0.0.1:8443", "--lab-root-key", "ab" * 32, "--lab-ca", str(tmp_path / "ca.pem")]
    assert replace(plain, lab=lab).arguments(socket) == told + with_lab
