"""Every provider, with a world to speak to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.domain.lines import CodeShown, DeviceLinked, LineState
from gateway.ports.provider import Provider
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider
from tests.conformance.provider.operator import Operator, new_lease, take
from tests.stage.lab import Lab, lab_process
from tests.stage.programs import built
from wagate.lab.v1 import lab_service_pb2


@dataclass
class World:
    """A provider, the lab that it speaks to, and how often its engine was started again."""

    provider: Provider
    lab: Lab
    restarts: list[None] = field(default_factory=list)


@pytest.fixture(scope="session")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab_process(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


@pytest.fixture(scope="session", params=["web"])
async def world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("provider")
    restarts: list[None] = []
    async with web_provider(options_for(lab, folder), lambda: restarts.append(None)) as provider:
        yield World(provider, lab, restarts)


def options_for(lab: Lab, folder: Path) -> EngineOptions:
    """An engine that speaks to a lab."""
    told = lab.environment
    endpoint = LabEndpoint(
        told["WAGATE_LAB__ADDRESS"], told["WAGATE_LAB__ROOT_KEY_HEX"], Path(told["WAGATE_LAB__CA_FILE"])
    )
    return EngineOptions(built("wagate-engine"), folder / "sessions", endpoint, log_level="debug")


@dataclass
class Shop:
    """A session that is linked and connected."""

    operator: Operator
    account: lab_service_pb2.Account


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    """A shop that is linked to an account of its own."""
    account = await world.lab.account()
    operator = await take(world.provider, new_lease())
    await link(operator, world.lab, account)
    yield Shop(operator, account)
    await operator.line.close()


async def link(operator: Operator, lab: Lab, account: lab_service_pb2.Account) -> None:
    """Link an account by QR."""
    await operator.until(LineState.UNLINKED)
    await operator.line.start_pairing("a_1", "")
    code, _ = await operator.hear(CodeShown)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lab.scan(account, code.text))
        await operator.hear(DeviceLinked)
    await operator.until(LineState.CONNECTED)
