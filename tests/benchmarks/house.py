"""What is measured: a gateway as it runs in earnest, with all that it does for a call, and a lab beside it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.stage.children import child
from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab, lab_process
from tests.stage.numbers import Numbers
from tests.stage.programs import ROOT
from tests.stage.shop import Shop, new_shop

_PAIRING_AT_ONCE: Final = 4


@dataclass(frozen=True)
class House:
    """A gateway and a lab; `folder` is for files of the measurements."""

    gateway: Gateway
    lab: Lab
    folder: Path
    numbers: Numbers

    async def shops(self, count: int) -> list[Shop]:
        """So many new sessions, linked."""
        few = asyncio.Semaphore(_PAIRING_AT_ONCE)

        async def one() -> Shop:
            async with few:
                return await new_shop(self.gateway, self.lab)

        async with asyncio.TaskGroup() as group:
            pairing = [group.create_task(one()) for _ in range(count)]
        return [task.result() for task in pairing]


@asynccontextmanager
async def a_house(folder: Path) -> AsyncIterator[House]:
    """Start a gateway and a lab for as long as the context lasts."""
    settings = {
        "WAGATE_GRPC__LISTEN": f"127.0.0.1:{free_port()}",
        "WAGATE_METRICS__LISTEN": "127.0.0.1:0",
        "WAGATE_LOG__LEVEL": "info",
    }
    async with (
        lab_process(folder / "lab") as lab,
        gateway_process(folder / "gateway", {**lab.environment, **settings}) as gateway,
    ):
        said = json.loads(await gateway.process.said())
        yield House(gateway, lab, folder, Numbers(f"http://{said['metrics']}/metrics"))


@asynccontextmanager
async def a_bare_server(folder: Path, loop: str) -> AsyncIterator[str]:
    """Start a bare echo (see `tests.benchmarks.echo`) on a loop for as long as the context lasts; where it is."""
    address, here = f"127.0.0.1:{free_port()}", {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", "tests.benchmarks.echo", address, loop)
    async with child(*command, log=folder / f"echo-{loop}.log", environment=here) as server:
        await server.said()
        yield address


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port
