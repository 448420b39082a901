"""The log's tail: one reader per process, kept in memory and fanned out.

Whoever reads near the end of the log reads here; whoever is further behind reads the store, and comes back. A reader
that stops reading holds nothing: it has a position, and the tail has a bound. While nobody follows, nothing is read.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.errors import StoreUnavailable
from gateway.domain.events import StoredEvent
from gateway.ports.queue import EVENTS, Queue
from gateway.ports.unit_of_work import Store, UnitOfWork
from wagate.v1 import event_pb2

_POLL_SECONDS: Final = 1.0
_BEGIN_SECONDS: Final = 5.0
_READ_AT_ONCE: Final = 1000
_MISSED_NOTHING: Final = timedelta(minutes=10)
"""Nothing is forgotten as soon as that. After a longer sleep, or so long without the store, what is read next is not
held: readers find it in the store, which knows whether anything before it is gone.
"""
KEPT_BYTES: Final = 16 * 1024 * 1024

_STEPS: Final = frozenset({"message.status_changed", "message.resolved"})


class Tail:
    """The newest events of all tenants, in the order of the log.

    `run` reads while somebody follows; everything else looks. At most `kept_bytes` of events are held. Nobody is kept
    waiting once `stopping` is set.
    """

    def __init__(self, store: Store, queue: Queue, stopping: asyncio.Event, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._queue = queue
        self._stopping = stopping
        self._kept_bytes = kept_bytes
        self._events: list[StoredEvent] = []
        self._positions: list[int] = []
        self._bytes = 0
        self._start: int | None = None
        self._read_time = datetime.min.replace(tzinfo=UTC)
        self._may_have_missed = False
        self._followers = 0
        self._followed = asyncio.Event()
        self._reading = asyncio.Event()
        self._waiting: set[asyncio.Future[None]] = set()
        self._watchers: defaultdict[str, list[asyncio.Queue[event_pb2.Event]]] = defaultdict(list)

    @property
    def newest(self) -> int:
        """The position of the newest event that was read."""
        return self._positions[-1] if self._positions else self.start

    @property
    def start(self) -> int:
        """Events behind this position are held; before `run` has begun, none are."""
        return self._start or 0

    @property
    def is_reading(self) -> bool:
        """Whether the log is being read."""
        return self._reading.is_set()

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """While the context lasts, what is told from now on is read.

        Raises:
            StoreUnavailable: the end of the log cannot be found.
        """
        self._followers += 1
        self._followed.set()
        try:
            await self._until_read()
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._followed.clear()

    async def _until_read(self) -> None:
        try:
            async with asyncio.timeout(_BEGIN_SECONDS):
                await self._reading.wait()
        except TimeoutError:
            raise StoreUnavailable from None

    async def run(self) -> None:
        """Read the log as it grows, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake_at_the_end())
            await self._follow()

    async def _wake_at_the_end(self) -> None:
        await self._stopping.wait()
        self._wake()

    async def _follow(self) -> None:
        with self._queue.listen(EVENTS) as ears:
            while True:
                await self._followed.wait()
                if not await self._begin():
                    await asyncio.sleep(_POLL_SECONDS)
                    continue
                self._reading.set()
                while self._followers:
                    if not await self._read():
                        await ears.heard(_POLL_SECONDS)
                self._reading.clear()

    async def _begin(self) -> bool:
        """Begin at the end of the log; what is held stays if it reaches there. Tell whether the end is known."""
        try:
            end, self._read_time = await self._store.read(_end_of_log)
        except StoreUnavailable:
            return False
        self._may_have_missed = False
        if self._start is None or self.newest != end:
            self._hold_nothing(end)
        self._wake()
        return True

    async def _read(self) -> bool:
        after = self.newest

        async def work(uow: UnitOfWork) -> tuple[list[StoredEvent], datetime]:
            return await uow.events.after(None, after, limit=_READ_AT_ONCE), uow.now

        try:
            events, now = await self._store.read(work)
        except StoreUnavailable:
            return False
        self._may_have_missed |= now - self._read_time > _MISSED_NOTHING
        self._read_time = now
        if not events:
            return False
        self._keep(events)
        if self._may_have_missed:
            self._hold_nothing(events[-1].position)
        self._tell_watchers(events)
        self._wake()
        return len(events) == _READ_AT_ONCE

    def _hold_nothing(self, position: int) -> None:
        self._start, self._bytes, self._may_have_missed = position, 0, False
        self._events.clear()
        self._positions.clear()

    def _wake(self) -> None:
        for waiting in self._waiting:
            _wake_up(waiting)

    def _keep(self, events: list[StoredEvent]) -> None:
        self._events += events
        self._positions += [event.position for event in events]
        self._bytes += sum(len(event.body) for event in events)
        if self._bytes <= self._kept_bytes or len(self._events) == 1:
            return
        drop = 0
        while self._bytes > self._kept_bytes // 2 and drop < len(self._events) - 1:
            self._bytes -= len(self._events[drop].body)
            drop += 1
        self._start = self._positions[drop - 1]
        del self._events[:drop]
        del self._positions[:drop]

    def behind(self, position: int, limit: int) -> list[StoredEvent] | None:
        """The next events behind a position; None if that is further back than the tail reaches."""
        if self._start is None or position < self._start:
            return None
        first = bisect_right(self._positions, position)
        return self._events[first : first + limit]

    async def grown_beyond(self, position: int, timeout: float) -> bool:
        """Wait until there are events behind a position, or the end, `timeout` seconds at most; tell whether there are.

        Thousands wait here, each with a future and a timer: tasks would cost them more memory and time than all else.
        """
        if self.newest <= position and not self._stopping.is_set():
            loop = asyncio.get_running_loop()
            waiting = loop.create_future()
            timer = loop.call_later(timeout, _wake_up, waiting)
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                timer.cancel()
                self._waiting.discard(waiting)
        return self.newest > position

    @asynccontextmanager
    async def watch_message(self, message_id: str) -> AsyncIterator[asyncio.Queue[event_pb2.Event]]:
        """The steps of one message that are told from now on."""
        steps: asyncio.Queue[event_pb2.Event] = asyncio.Queue()
        self._watchers[message_id].append(steps)
        try:
            async with self.followed():
                yield steps
        finally:
            self._watchers[message_id].remove(steps)
            if not self._watchers[message_id]:
                del self._watchers[message_id]

    def _tell_watchers(self, events: list[StoredEvent]) -> None:
        if not self._watchers:
            return
        for stored in events:
            if stored.kind not in _STEPS:
                continue
            event = event_pb2.Event.FromString(stored.body)
            resolved = event.WhichOneof("what") == "message_resolved"
            step = event.message_resolved.message if resolved else event.message_status_changed
            for steps in self._watchers.get(step.message_id, ()):
                steps.put_nowait(event)


def _wake_up(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def _end_of_log(uow: UnitOfWork) -> tuple[int, datetime]:
    return await uow.events.newest(), uow.now
