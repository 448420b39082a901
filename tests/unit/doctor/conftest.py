"""Settings as the doctor meets them, in a folder of the test's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.settings import Settings, load
from tests.stage.postgres import PostgresServer, postgres_server

With = Callable[..., Settings]


@pytest.fixture
def settings_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> With:
    """Settings with these options, `section="option=value option=value"`, and a data folder in the test's own."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("WAGATE_"):
            monkeypatch.delenv(name)

    def made(**sections: dict[str, str]) -> Settings:
        return load(flags={"data": {"folder": str(tmp_path / "data")}, **sections})

    return made


@pytest.fixture(scope="package")
async def durable() -> AsyncIterator[PostgresServer]:
    """A server whose commits survive a power cut."""
    async with postgres_server(durable=True) as running:
        yield running
