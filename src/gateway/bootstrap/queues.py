"""The queue: in one process, over the database, or over Redis with the database behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.queue import RedisQueue
from gateway.domain.ids import PROCESS, make_id
from gateway.ports.queue import Queue
from gateway.settings import Settings


@asynccontextmanager
async def open_queue(settings: Settings, *, changed: Callable[[bool], None]) -> AsyncIterator[Queue]:
    """The queue that the settings want, while the context lasts. `changed` is told whether other processes hear its
    bells, at first and when that changes.
    """
    wanted = settings.queue
    url, process = wanted.url.get_secret_value(), make_id(PROCESS)
    local = EmbeddedQueue()
    if not url:
        changed(True)
        yield local
        return
    queue = RedisQueue(Keys(wanted.prefix, wanted.shards), process, url, local=local, instead=local, changed=changed)
    async with queue.running():
        yield queue
