"""A feed says where it begins, how far it is, and when to come back."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google.protobuf.duration_pb2 import Duration

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway
from tests.stage.watching import Watch, watching
from wagate.v1.event_service_pb2 import EventFilter, StreamEventsRequest, StreamEventsResponse

EVERY_SECOND = Duration(seconds=1)


@asynccontextmanager
async def feed(gateway: Gateway, **asked: Any) -> AsyncIterator[Watch[StreamEventsResponse]]:
    """All frames of a feed."""
    stream = gateway.feeds.StreamEvents(StreamEventsRequest(**asked))
    async with watching(stream, lambda frame: frame) as frames:
        yield frames


async def test_a_feed_from_now_that_breaks_before_its_first_event_resumes_where_it_was_opened(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with feed(world.gateway) as frames:
        first = await frames.next()
        assert first.HasField("opened")
    accepted = await shop.accept(ada.phone_number, "hello")
    async with feed(world.gateway, after_cursor=first.opened.cursor) as frames:
        assert (await frames.next()).opened.cursor == first.opened.cursor
        event = (await frames.until(lambda frame: frame.HasField("event"))).event
    assert event.message_accepted.message.message_id == accepted.message_id


async def test_what_happened_before_it_is_not_told_by_a_feed_from_now(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    before = await shop.accept(ada.phone_number, "before")
    async with feed(world.gateway, filter=EventFilter(kinds=["message.accepted"])) as frames:
        await frames.until(lambda frame: frame.checkpoint.live)
        after = await shop.accept(ada.phone_number, "after")
        event = (await frames.until(lambda frame: frame.HasField("event"))).event
        assert event.message_accepted.message.message_id == after.message_id
        assert not any(frame.event.message_accepted.message.message_id == before.message_id for frame in frames.seen)
    await shop.start()


async def test_a_feed_tells_within_each_interval_how_far_it_is(world: World) -> None:
    await world.shop()
    async with feed(world.gateway, earliest=True, checkpoint_interval=EVERY_SECOND) as frames:
        moments, checkpoints = [time.monotonic()], []
        for _ in range(3):
            told = await frames.until(lambda frame: frame.checkpoint.live)
            moments.append(time.monotonic())
            checkpoints.append(told.checkpoint)
        newest = [frame.event.cursor for frame in frames.seen if frame.HasField("event")][-1]
    assert [(told.cursor, told.lag.ToMilliseconds()) for told in checkpoints] == [(newest, 0)] * 3
    assert all(later - earlier < 1.5 for earlier, later in itertools.pairwise(moments))


async def test_a_feed_whose_filter_hides_everything_moves_on_all_the_same(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    nothing = EventFilter(kinds=["later.invented"])
    async with feed(world.gateway, filter=nothing, checkpoint_interval=EVERY_SECOND) as frames:
        begin = (await frames.next()).opened.cursor
        await shop.accept(ada.phone_number, "hello")
        moved = await frames.until(lambda frame: frame.HasField("checkpoint") and frame.checkpoint.cursor != begin)
        assert not any(frame.HasField("event") for frame in frames.seen)
    async with feed(world.gateway, after_cursor=moved.checkpoint.cursor) as frames:
        assert (await frames.next()).HasField("opened")


async def test_feeds_are_told_goodbye_when_the_server_stops_and_are_resumed_after_it(own_world: World) -> None:
    shop = await own_world.shop()
    async with feed(own_world.gateway) as live, feed(own_world.gateway, earliest=True) as history:
        for frames in (live, history):
            await frames.until(lambda frame: frame.checkpoint.live)
        assert await own_world.gateway.stop() == 0
        last = [(await frames.end())[-1] for frames in (live, history)]
    assert all(frame.goodbye.retry_delay.ToMilliseconds() > 0 for frame in last)
    await own_world.gateway.start()
    async with feed(own_world.gateway, after_cursor=last[0].goodbye.cursor) as frames:
        changes = await frames.until(lambda frame: frame.event.session_state_changed.HasField("status"))
    assert changes.event.session_id == shop.session_id
