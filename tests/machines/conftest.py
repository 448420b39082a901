"""A ground for machines: a real store, and a clock that stands still until it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.sqlite import url_of
from tests.machines.loop import Ground
from tests.unit.services.house import House, opened

MEMORY = Path("/dev/shm")


@pytest.fixture
def ground() -> Iterator[Ground]:
    """A new ground, in memory where there is a disk that is: what survives a crash is seen elsewhere."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield Ground(runner, runner.run(_open(stack, Path(folder))))
        runner.run(stack.aclose())


async def _open(stack: AsyncExitStack, folder: Path) -> House:
    database = folder / "store.db"
    await migrate(url_of(database))
    house = await stack.enter_async_context(opened(database))
    house.clock.still = datetime.now(UTC)
    return house
