"""Feeds: the log, read from any position on. The reader owns the position; the log is its buffer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.access import Call
from gateway.domain.addresses import parse_address
from gateway.domain.clocks import from_duration, from_timestamp, to_duration, to_timestamp
from gateway.domain.cursors import Signer
from gateway.domain.errors import CursorExpired
from gateway.domain.events import EventFilter, StoredEvent
from gateway.domain.retention import FOR_EVER, Retention
from gateway.ports.meter import Meter
from gateway.ports.unit_of_work import LogEnds, Store, UnitOfWork
from gateway.services.frames import Pack, ShownEvents, frames
from gateway.services.pages import page_size
from gateway.services.tail import Tail
from gateway.services.views import RAW_SCOPE
from wagate.v1 import event_pb2
from wagate.v1 import event_service_pb2 as pb

_READ_AT_ONCE: Final = 32
"""Few enough that a reader which stops holds 10 MiB at most, were all of them as long as events get."""
_MERGED: Final = "identity.merged"
_COME_BACK_AFTER: Final = timedelta(seconds=1)


@dataclass(slots=True)
class _Reader:
    """One reader: who it is, what it wants, where it is, how many events it takes at once, and whether it sees the
    provider's own bytes.
    """

    call: Call
    which: EventFilter
    position: int
    most: int
    raw: bool

    def takes(self, event: StoredEvent) -> bool:
        """Go beyond an event; tell whether it is wanted. A chat that was merged is followed to where it goes on."""
        self.position = event.position
        if event.tenant_id != self.call.tenant_id:
            return False
        if self.which.chat_ids and event.kind == _MERGED:
            self._follow(event_pb2.Event.FromString(event.body).identity_merged)
        return self.which.wants(event)

    def _follow(self, merged: event_pb2.IdentityMerged) -> None:
        if not self.which.chat_ids.isdisjoint(merged.absorbed_ids):
            self.which = replace(self.which, chat_ids=self.which.chat_ids | {merged.identity.id})


class Feeds:
    """The use cases of EventService. `stopping` ends every feed with a goodbye."""

    def __init__(
        self,
        store: Store,
        tail: Tail,
        signer: Signer,
        meter: Meter,
        stopping: asyncio.Event,
        *,
        checkpoint_interval: timedelta,
        retention: Retention = FOR_EVER,
    ) -> None:
        self._retention = retention
        self._checkpoint_interval = checkpoint_interval
        self._meter = meter
        self._store = store
        self._tail = tail
        self._signer = signer
        self._stopping = stopping
        self._shown = ShownEvents(signer)

    async def stream(self, call: Call, request: pb.StreamEventsRequest) -> AsyncGenerator[bytes]:
        """Tell events from a position onward, until the server is being stopped: each frame a StreamEventsResponse."""
        self._meter.stream_opened()
        try:
            async with self._tail.followed(), aclosing(self._frames(call, request)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            self._meter.stream_closed()

    async def _frames(self, call: Call, request: pb.StreamEventsRequest) -> AsyncGenerator[bytes]:
        ends = await self._store.read(lambda uow: uow.events.ends(call.tenant_id))
        reader = await self._reader(call, request, ends)
        yield self._opened(reader, ends)
        seconds = self._checkpoint_seconds(request)
        due = asyncio.get_running_loop().time()
        live = False
        while not self._stopping.is_set():
            events, pack = await self._next(reader)
            hidden = True
            for frame in frames((pack(event, raw=reader.raw) for event in events if reader.takes(event)), reader.most):
                hidden = False
                yield frame
            now = asyncio.get_running_loop().time()
            caught_up = not events
            if now >= due or (caught_up and not live):
                live = live or caught_up
                due = now + seconds
                yield self._checkpoint(reader, live, events)
            if caught_up:
                await self._tail.grown_beyond(reader.position, max(due - asyncio.get_running_loop().time(), 0))
            elif hidden:
                await asyncio.sleep(0)  # whoever is told nothing waits for no write, and would let nobody else work
        yield self._goodbye(reader)

    async def _reader(self, call: Call, request: pb.StreamEventsRequest, ends: LogEnds) -> _Reader:
        which, start = await self._filter(call, request.filter), await self._start(call, request, ends)
        return _Reader(call, which, start, request.max_events_per_frame, call.caller.holds(RAW_SCOPE))

    def _checkpoint_seconds(self, request: pb.StreamEventsRequest) -> float:
        every = from_duration(request.checkpoint_interval) if request.HasField("checkpoint_interval") else None
        return (every or self._checkpoint_interval).total_seconds()

    async def list(self, call: Call, request: pb.ListEventsRequest) -> pb.ListEventsResponse:
        """Show a page of the log, the oldest first."""
        which = await self._filter(call, request.filter)
        size = page_size(request.page_size)

        async def work(uow: UnitOfWork) -> tuple[Sequence[StoredEvent], LogEnds, int]:
            ends = await uow.events.ends(call.tenant_id)
            position = await self._list_start(uow, call, request, ends)
            return await uow.events.after(call.tenant_id, position, limit=size + 1, which=which), ends, position

        events, ends, position = await self._store.read(work)
        has_more = len(events) > size
        after = events[size - 1].position if has_more else max(ends.newest, *(e.position for e in events), position)
        return pb.ListEventsResponse(
            events=[self._shown.show(event, raw=call.caller.holds(RAW_SCOPE)) for event in events[:size]],
            next_cursor=self._signer.cursor(call.tenant_id, after),
            has_more=has_more,
        )

    async def _start(self, call: Call, request: pb.StreamEventsRequest, ends: LogEnds) -> int:
        match request.WhichOneof("start"):
            case "after_cursor":
                return self._after_cursor(call, request.after_cursor, ends)
            case "since_time":
                return await self._since(call, from_timestamp(request.since_time))
            case "earliest":
                return ends.oldest
            case _:
                return ends.newest

    async def _list_start(self, uow: UnitOfWork, call: Call, request: pb.ListEventsRequest, ends: LogEnds) -> int:
        match request.WhichOneof("start"):
            case "after_cursor":
                return self._after_cursor(call, request.after_cursor, ends)
            case "since_time":
                return await uow.events.position_before(call.tenant_id, from_timestamp(request.since_time))
            case _:
                return ends.oldest

    def _after_cursor(self, call: Call, cursor: str, ends: LogEnds) -> int:
        position = self._signer.position(call.tenant_id, cursor, field="after_cursor")
        self._check_kept(call, position, ends)
        return position

    def _check_kept(self, call: Call, position: int, ends: LogEnds) -> None:
        """Refuse to go on from where events that came next are gone."""
        if position >= ends.oldest:
            return
        raise CursorExpired(
            field="after_cursor",
            oldest_cursor=self._signer.cursor(call.tenant_id, ends.oldest),
            oldest_time=to_timestamp(ends.oldest_time).ToJsonString() if ends.oldest_time else "",
        )

    async def _since(self, call: Call, moment: datetime) -> int:
        return await self._store.read(lambda uow: uow.events.position_before(call.tenant_id, moment))

    async def _filter(self, call: Call, asked: pb.EventFilter) -> EventFilter:
        tenant_events = asked.tenant_events if asked.HasField("tenant_events") else not asked.session_ids
        which = EventFilter(frozenset(asked.session_ids), frozenset(asked.kinds), frozenset(), tenant_events)
        if not asked.chat_ids:
            return which
        addresses = [parse_address(text, field=f"filter.chat_ids[{n}]") for n, text in enumerate(asked.chat_ids)]
        found = await self._store.read(lambda uow: uow.identities.find(call.tenant_id, addresses))
        chat_ids = {address.value for address in addresses}
        for identity in found.values():
            chat_ids |= {identity.identity_id, *identity.alias_ids}
        return replace(which, chat_ids=frozenset(chat_ids))

    async def _next(self, reader: _Reader) -> tuple[Sequence[StoredEvent], Pack]:
        """What comes next, and how it is packed: what is read near the end of the log, others read as well."""
        near = self._tail.behind(reader.position, max(reader.most, _READ_AT_ONCE))
        if near is not None:
            return near, self._shown.pack_once
        reach = self._tail.start

        async def work(uow: UnitOfWork) -> tuple[Sequence[StoredEvent], LogEnds]:
            tenant_id = reader.call.tenant_id
            events = await uow.events.after(tenant_id, reader.position, limit=_READ_AT_ONCE)
            return events, await uow.events.ends(tenant_id)

        events, ends = await self._store.read(work)
        self._check_kept(reader.call, reader.position, ends)
        if not events:
            reader.position = max(reader.position, reach)
        return events, self._shown.pack

    def _opened(self, reader: _Reader, ends: LogEnds) -> bytes:
        opened = pb.StreamEventsResponse.Opened(
            cursor=self._cursor(reader),
            oldest_cursor=self._signer.cursor(reader.call.tenant_id, ends.oldest),
            retention=to_duration(self._retention.events) if self._retention.events else None,
            server_time=to_timestamp(datetime.now(UTC)),
        )
        return pb.StreamEventsResponse(opened=opened).SerializeToString()

    def _checkpoint(self, reader: _Reader, live: bool, events: Sequence[StoredEvent]) -> bytes:
        lag = datetime.now(UTC) - events[-1].record_time if events else timedelta(0)
        self._meter.stream_lagged(lag.total_seconds())
        checkpoint = pb.StreamEventsResponse.Checkpoint(
            cursor=self._cursor(reader), live=live, lag=to_duration(max(lag, timedelta(0)))
        )
        return pb.StreamEventsResponse(checkpoint=checkpoint).SerializeToString()

    def _goodbye(self, reader: _Reader) -> bytes:
        goodbye = pb.StreamEventsResponse.Goodbye(
            cursor=self._cursor(reader), retry_delay=to_duration(_COME_BACK_AFTER)
        )
        return pb.StreamEventsResponse(goodbye=goodbye).SerializeToString()

    def _cursor(self, reader: _Reader) -> str:
        return self._signer.cursor(reader.call.tenant_id, reader.position)
