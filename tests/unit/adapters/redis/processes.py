"""Processes on a Redis that is broken meanwhile, with the database behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.queue import RedisQueue
from gateway.adapters.sql.migrating import migrate
from gateway.adapters.sql.queue import SqlQueue
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import SqlStore, open_store
from tests.stage.redis import RedisServer
from tests.stage.waiting import eventually

KEYS: Final = Keys("test", 4)


class Process:
    """One process: its queue, and what it was told of how Redis fares."""

    def __init__(self, server: RedisServer, store: SqlStore | None) -> None:
        self.name = uuid4().hex
        self.fared: list[bool] = []
        local = EmbeddedQueue()
        self.behind = SqlQueue(store, self.name, local=local) if store else None
        self.queue = RedisQueue(
            KEYS, self.name, server.url, local=local, instead=self.behind or local, changed=self.fared.append
        )

    async def up(self, *, within: float = 10) -> None:
        """Wait until it sees that Redis is there."""
        await eventually(lambda: self.queue.health().serving, within)

    async def down(self, *, within: float = 10) -> None:
        """Wait until it sees that Redis is away."""
        await eventually(lambda: not self.queue.health().serving, within)


@asynccontextmanager
async def process_on(server: RedisServer, store: SqlStore | None = None) -> AsyncIterator[Process]:
    """A process with nothing behind Redis, or with a database."""
    process = Process(server, store)
    async with process.queue.running():
        if process.behind is None:
            yield process
        else:
            async with process.behind.running():
                yield process


@asynccontextmanager
async def database_in(folder: Path) -> AsyncIterator[SqlStore]:
    """A database for processes to share."""
    url = url_of(folder / "store.db")
    await migrate(url)
    async with open_store(url) as store:
        yield store


async def echo(question: bytes) -> bytes:
    """Answer with the question."""
    return question
