"""Clients that others made, a gateway and a lab, all on an island: none of them can reach anything but loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.foreign.client import ForeignClient, baileys, foreign_client, neonize
from tests.stage.gateway import gateway_process
from tests.stage.island import Island, island
from tests.stage.lab import Lab, lab_process
from tests.stage.persons import Naming
from tests.stage.shop import Shop, new_shop
from wagate.lab.v1 import lab_service_pb2


@dataclass(frozen=True)
class Cast:
    """Who chats."""

    island: Island
    lab: Lab
    shop: Shop
    baileys: ForeignClient
    neonize: ForeignClient


@pytest.fixture
async def cast(company: Cast) -> AsyncIterator[Cast]:
    """The company of all tests. In none does anybody ask the lab what it has no answer to, or try to leave."""
    yield company
    stats = await company.lab.stub.GetStats(lab_service_pb2.GetStatsRequest())
    assert not stats.unanswered_iqs
    assert company.island.attempts_to_leave() == 0


@pytest.fixture(scope="session")
async def company(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    """A cast: started and paired at the same time, by both ways of naming an account."""
    folder = tmp_path_factory.mktemp("foreign")
    async with AsyncExitStack() as running:
        alone = await running.enter_async_context(island(folder / "island.log"))
        lab = await running.enter_async_context(lab_process(folder / "lab", alone.entering))

        async def shop() -> Shop:
            started = gateway_process(folder / "gateway", lab.environment, alone.entering)
            return await new_shop(await running.enter_async_context(started), lab)

        async def client(name: str, naming: Naming) -> ForeignClient:
            account = await lab.account(name, naming=naming)
            command = {"Baileys": baileys, "neonize": neonize}[name]()
            started = foreign_client(command, folder / name, lab, account, alone.entering)
            return await running.enter_async_context(started)

        yield Cast(
            alone,
            lab,
            *await asyncio.gather(
                shop(), client("Baileys", Naming.LID_WITH_PHONE), client("neonize", Naming.PHONE_WITH_LID)
            ),
        )
