"""Two processes that share a queue, for each kind of queue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.queue import RedisQueue
from gateway.adapters.sql.queue import SqlQueue
from gateway.adapters.sql.store import SqlStore
from gateway.ports.queue import Queue
from tests.conformance.store.stage import STAGES, Stage
from tests.stage.redis import RedisServer


@dataclass(frozen=True)
class House:
    """Two processes, or one twice. `rings_across` says whether bells ring in both, or are looked for instead."""

    here: Queue
    there: Queue
    rings_across: bool = True


@asynccontextmanager
async def one_process(_folder: Path, _server: RedisServer) -> AsyncIterator[House]:
    queue = EmbeddedQueue()
    yield House(queue, queue)


@asynccontextmanager
async def over_redis(_folder: Path, server: RedisServer) -> AsyncIterator[House]:
    keys = Keys(f"test:{uuid4().hex}", 16)
    here, there = redis_queue(server, keys), redis_queue(server, keys)
    async with here.running(), there.running():
        yield House(here, there)


def redis_queue(server: RedisServer, keys: Keys, changed: Callable[[bool], None] = lambda _up: None) -> RedisQueue:
    """A process on a Redis, with nothing behind it."""
    local = EmbeddedQueue()
    return RedisQueue(keys, uuid4().hex, server.url, local=local, instead=local, changed=changed)


def over_database(kind: str) -> Callable[[Path, RedisServer], AbstractAsyncContextManager[House]]:
    """Two processes on a store of this kind."""

    @asynccontextmanager
    async def opened(folder: Path, _server: RedisServer) -> AsyncIterator[House]:
        async with STAGES[kind](folder) as stage:
            here, there = (SqlQueue(sql_store(stage), uuid4().hex, local=EmbeddedQueue()) for _ in range(2))
            async with here.running(), there.running():
                yield House(here, there, rings_across=False)

    return opened


def sql_store(stage: Stage) -> SqlStore:
    """The stage's store, which is one on SQL."""
    assert isinstance(stage.store, SqlStore)
    return stage.store


HOUSES = {"embedded": one_process, "redis": over_redis, **{kind: over_database(kind) for kind in STAGES}}
