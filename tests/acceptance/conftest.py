"""The whole installation: gateway, engine and lab, each a process of its own, spoken to over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab, lab_process
from tests.stage.shop import Shop, new_shop


@dataclass(frozen=True)
class World:
    """A gateway and a lab."""

    gateway: Gateway
    lab: Lab

    async def shop(self, *, paired: bool = True, expected_phone_number: str = "") -> Shop:
        """A new session with an account of its own."""
        return await new_shop(self.gateway, self.lab, paired=paired, expected_phone_number=expected_phone_number)


@pytest.fixture(scope="session")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """The lab of all tests."""
    async with lab_process(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


@pytest.fixture(scope="session")
async def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The gateway of all tests, and the lab. A test that stops or disturbs the gateway takes `own_world`."""
    async with gateway_process(tmp_path_factory.mktemp("gateway") / "gateway", lab.environment) as gateway:
        yield World(gateway, lab)


@pytest.fixture
async def own_world(lab: Lab, tmp_path: Path) -> AsyncIterator[World]:
    """A gateway of the test's own, and the lab."""
    async with gateway_process(tmp_path / "gateway", lab.environment) as gateway:
        yield World(gateway, lab)


@pytest.fixture(scope="session")
async def impatient_world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway that pings its lines every second, and waits a second for the answer; and the lab."""
    pace = {"WAGATE_ENGINE__PING_EVERY": "1s", "WAGATE_ENGINE__PING_PATIENCE": "1s"}
    folder = tmp_path_factory.mktemp("impatient") / "gateway"
    async with gateway_process(folder, {**lab.environment, **pace}) as gateway:
        yield World(gateway, lab)
