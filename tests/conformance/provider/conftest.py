"""Every provider, with a WhatsApp to speak to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.domain.lines import CodeShown, DeviceLinked, LineState
from gateway.observability import PrometheusMeter
from gateway.ports.provider import Provider
from gateway.providers.simulator.simulation import Simulation
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider
from tests.conformance.provider.lab_whatsapp import LabWhatsApp
from tests.conformance.provider.operator import Operator, new_lease, take
from tests.conformance.provider.simulated_whatsapp import SimulatedWhatsApp
from tests.conformance.provider.whatsapp import Contact, WhatsApp
from tests.stage.lab import Lab, lab_process
from tests.stage.programs import built


@dataclass
class World:
    """A provider, and the WhatsApp that it speaks to."""

    provider: Provider
    whatsapp: WhatsApp


@pytest.fixture(scope="session", params=["web", "simulator"])
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Add a provider here by its name, and below how its world is made."""
    async with AsyncExitStack() as stack:
        made = {"web": _web_and_lab, "simulator": _simulator}[request.param]
        yield await made(stack, tmp_path_factory.mktemp("provider"))


async def _web_and_lab(stack: AsyncExitStack, folder: Path) -> World:
    lab = await stack.enter_async_context(lab_process(folder / "lab"))
    provider = await stack.enter_async_context(web_provider(speaking_to(lab, folder), PrometheusMeter()))
    return World(provider, LabWhatsApp(lab, await stack.enter_async_context(AsyncExitStack())))


async def _simulator(_stack: AsyncExitStack, _folder: Path) -> World:
    simulation = Simulation(pair=False)
    return World(simulation, SimulatedWhatsApp(simulation))


def speaking_to(lab: Lab, folder: Path) -> EngineOptions:
    """An engine that speaks to a lab, and soon sees that a line does not answer."""
    told = lab.environment
    endpoint = LabEndpoint(
        told["WAGATE_LAB__ADDRESS"], told["WAGATE_LAB__ROOT_KEY_HEX"], Path(told["WAGATE_LAB__CA_FILE"])
    )
    return EngineOptions(
        built("wagate-engine"),
        folder / "sessions",
        endpoint,
        ping_every=timedelta(seconds=1),
        ping_patience=timedelta(seconds=2),
        log_level="debug",
    )


@dataclass
class Shop:
    """A session that is linked and connected."""

    operator: Operator
    account: Contact


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Shop]:
    """A shop that is linked to an account of its own."""
    account = await world.whatsapp.account()
    operator = await take(world.provider, new_lease())
    await link(operator, world.whatsapp, account)
    shop = Shop(operator, account)
    yield shop
    await shop.operator.line.close()


async def link(operator: Operator, whatsapp: WhatsApp, account: Contact) -> None:
    """Link an account by QR."""
    await operator.until(LineState.UNLINKED)
    await operator.line.start_pairing("a_1", "")
    code, _ = await operator.hear(CodeShown)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(whatsapp.scan(account, code.text))
        await operator.hear(DeviceLinked)
    await operator.until(LineState.CONNECTED)
