"""A gateway inside a test: the whole server, on a simulated WhatsApp, in the test's own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.adapters.sql.migrating import migrate
from gateway.bootstrap import running_gateway, store_url
from gateway.providers.simulator.simulation import Simulation
from gateway.settings import load


@asynccontextmanager
async def simulated_gateway(folder: Path, simulation: Simulation) -> AsyncIterator[str]:
    """Serve until the context ends; where, for `grpc.aio.insecure_channel`. All that is kept lies in the folder. Every
    setting but these is as `wagate serve` reads it. Several may serve side by side; start them one by one.
    """
    flags = {
        "data": {"folder": str(folder)},
        "grpc": {"listen": f"unix:{folder}/gateway.sock"},
        "metrics": {"listen": ""},
        "providers": {"enabled": "simulator"},
    }
    settings = load(flags=flags)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    await migrate(store_url(settings))
    async with running_gateway(settings, simulation) as gateway:
        yield gateway.grpc_address
