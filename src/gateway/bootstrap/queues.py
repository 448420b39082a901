"""The queue: in one process, over the database, or over Redis with the database behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.sql.queue import SqlQueue
from gateway.adapters.sql.store import SqlStore
from gateway.domain.ids import PROCESS, make_id
from gateway.ports.queue import Queue
from gateway.settings import Settings


@asynccontextmanager
async def open_queue(
    settings: Settings, store: SqlStore, *, alone: bool, changed: Callable[[bool], None]
) -> AsyncIterator[Queue]:
    """The queue that the settings want, while the context lasts. Who is `alone` on the database need not look there for
    others. `changed` is told whether bells ring where they should, at first and when that changes.
    """
    local, process_id = EmbeddedQueue(), make_id(PROCESS)
    async with AsyncExitStack() as stack:
        behind: Queue = local
        if not alone:
            looking = SqlQueue(store, process_id, local=local)
            await stack.enter_async_context(looking.running())
            behind = looking
        url = settings.queue.url.get_secret_value()
        if not url:
            changed(True)
            yield behind
            return
        # Whoever has no Redis starts sooner, and without the memory that its client takes.
        from gateway.adapters.redis.keys import Keys  # noqa: PLC0415
        from gateway.adapters.redis.queue import RedisQueue  # noqa: PLC0415

        keys = Keys(settings.queue.prefix, settings.queue.shards)
        queue = RedisQueue(keys, process_id, url, local=local, instead=behind, changed=changed)
        await stack.enter_async_context(queue.running())
        yield queue
