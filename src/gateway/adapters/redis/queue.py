"""The queue of many processes: each has one of its own, and Redis joins them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import Final

from gateway.adapters.redis.bells import Bells
from gateway.adapters.redis.connections import PATIENCE_SECONDS, connection_pool
from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.names import Names
from gateway.adapters.redis.questions import NotHandedOver, Questions
from gateway.adapters.redis.reader import Fields, Reader
from gateway.adapters.redis.wire import Wire
from gateway.ports.queue import Ears, Queue, QueueHealth

_PRESENT_MILLISECONDS: Final = 5000


class RedisQueue:
    """See `gateway.ports.queue.Queue`.

    `local` is the queue of this process: what other processes ring and ask arrives there. `instead` is what reaches
    other processes without Redis, or `local` again if nothing does.
    """

    def __init__(
        self, keys: Keys, process: str, url: str, *, local: Queue, instead: Queue, changed: Callable[[bool], None]
    ) -> None:
        self._local = local
        self._changed = changed
        self._instead = instead
        self._pool = connection_pool(url)
        self._bells = Bells(keys, process)
        beat = ("SET", keys.presence(process), "1", "PX", _PRESENT_MILLISECONDS, "GET")
        self._wire = Wire(self._pool, beat, beaten=self._beaten, rest=self._bells.drain, changed=self._fares)
        self._names = Names(keys, process, self._wire)
        self._questions = Questions(keys, process, self._wire, local)
        inbox = keys.inbox(process)
        self._reader = Reader(
            self._pool,
            keys.streams(),
            inbox,
            on_bells=self._hear,
            on_letter=self._questions.take,
            done_with=lambda entry_id: self._wire.put(("XTRIM", inbox, "MINID", entry_id)),
        )

    def ring(self, *bells: str) -> None:
        self._local.ring(*bells)
        self._bells.add(bells)
        self._wire.wake()

    def listen(self, *bells: str) -> AbstractContextManager[Ears]:
        return self._instead.listen(*bells)

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        try:
            return await self._questions.ask(name, question, timeout=timeout)
        except NotHandedOver:
            return await self._instead.ask(name, question, timeout=max(deadline - loop.time(), 0))

    @asynccontextmanager
    async def serve(self, name: str, answer: Callable[[bytes], Awaitable[bytes]]) -> AsyncIterator[None]:
        async with self._instead.serve(name, answer), self._names.held(name):
            yield

    def health(self) -> QueueHealth:
        return QueueHealth(serving=self._wire.is_up, message=self._wire.trouble)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be in touch with other processes while the context lasts; it begins without them if Redis is away."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._wire.run(), name="queue wire")
            others = [
                group.create_task(self._reader.run(), name="queue reader"),
                group.create_task(self._questions.run(), name="queue questions"),
                group.create_task(self._names.run(), name="queue names"),
            ]
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._reader.ready.wait()
            try:
                yield
            except Exception as error:  # noqa: BLE001  # raised below as it is, not as one of a group
                failure = error
            finally:
                for task in others:
                    task.cancel()
                self._wire.close()
                await asyncio.wait([telling])
        await self._pool.disconnect()
        if failure is not None:
            raise failure

    def _hear(self, entry: Fields) -> None:
        self._local.ring(*self._bells.rung(entry))

    def _beaten(self, was_present: object) -> None:
        if was_present is None:
            self._begin_anew()

    def _fares(self, is_up: bool) -> None:
        if is_up:
            self._begin_anew()
        self._changed(is_up)

    def _begin_anew(self) -> None:
        """Redis may have forgotten, or never heard, what it should know."""
        self._questions.doubt()
        self._names.renew()
        self._reader.look_anew()
