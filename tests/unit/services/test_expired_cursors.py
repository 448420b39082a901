"""Whoever comes with a cursor gets all that is behind it, or is told that some of that is gone and where to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import CursorExpired, StoreUnavailable
from gateway.domain.retention import Retention
from gateway.domain.sessions import Session
from gateway.services.feeds import Feeds
from gateway.services.forgetting import Forgetting
from gateway.services.tail import Tail
from tests.stage.waiting import SECONDS
from tests.unit.services.house import House, event_of
from tests.unit.services.told import feed, tell, with_a_short_tail
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2
from wagate.v1 import event_service_pb2 as pb

T = TypeVar("T")

DAY = timedelta(days=1)
KEPT = Retention(events=30 * DAY)


async def forget(house: House) -> int:
    """What a round of the janitor forgets."""
    return (await Forgetting(house.store, KEPT, house.meter).forget_old()).get("events", 0)


async def test_a_cursor_of_events_that_are_gone_is_refused_with_the_oldest_one(house: House) -> None:
    early = (await house.feeds.list(house.call(), pb.ListEventsRequest())).next_cursor
    for session_id in ("one", "two", "three"):
        await house.create(session_id)
        house.clock.ahead += 10 * DAY
    house.clock.ahead += 5 * DAY
    assert await forget(house) == 1
    with pytest.raises(CursorExpired) as error:
        await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=early))
    assert error.value.reason == reasons.ERROR_REASON_CURSOR_EXPIRED
    oldest = pb.ListEventsRequest(after_cursor=error.value.facts["oldest_cursor"])
    left = (await house.feeds.list(house.call(), oldest)).events
    assert [event.session_id for event in left] == ["two", "three"]
    assert error.value.facts["oldest_time"] == left[0].record_time.ToJsonString()
    with pytest.raises(CursorExpired):
        await anext(aiter(feed(house.feeds, house.call(), pb.StreamEventsRequest(after_cursor=early))))


async def test_a_log_of_which_nothing_is_left_still_refuses_what_is_older_and_takes_its_last_cursor(
    house: House, sessions: list[Session]
) -> None:
    early = (await house.feeds.list(house.call(), pb.ListEventsRequest(page_size=1))).next_cursor
    last = (await house.feeds.list(house.call(), pb.ListEventsRequest())).next_cursor
    house.clock.ahead += 31 * DAY
    await forget(house)
    assert await house.stored_log() == []
    with pytest.raises(CursorExpired) as error:
        await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=early))
    assert error.value.facts["oldest_cursor"] == last
    await tell(house, 3, sessions)
    assert len((await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=last))).events) == 3


async def test_a_feed_tells_at_its_opening_how_long_events_are_kept_and_which_cursor_is_the_oldest(
    house: House, sessions: list[Session]
) -> None:
    last = (await house.feeds.list(house.call(), pb.ListEventsRequest())).next_cursor
    house.clock.ahead += 31 * DAY
    await forget(house)
    every = timedelta(seconds=15)
    feeds = Feeds(
        *(house.store, house.tail, house.store.signer, house.meter, house.stopping),
        checkpoint_interval=every,
        retention=KEPT,
    )
    await tell(house, 1, sessions)
    async with aclosing(feed(feeds, house.call(), pb.StreamEventsRequest(earliest=True))) as stream:
        opened = (await anext(stream)).opened
    assert (opened.oldest_cursor, opened.cursor) == (last, last)
    assert opened.retention.ToTimedelta() == 30 * DAY


async def test_a_feed_that_is_overtaken_by_forgetting_says_so_instead_of_leaving_events_out(
    house: House, sessions: list[Session]
) -> None:
    await tell(house, 100, sessions)
    async with with_a_short_tail(house, 1) as (_, feeds):
        stream = feed(feeds, house.call(), pb.StreamEventsRequest(earliest=True))
        async with asyncio.timeout(SECONDS), aclosing(stream) as frames:
            for _ in range(10):
                await anext(frames)
            house.clock.ahead += 31 * DAY
            await forget(house)
            with pytest.raises(CursorExpired):
                async for _ in frames:
                    pass


class Sleeper:
    """A store that cannot be read for a while."""

    def __init__(self, house: House) -> None:
        self._store = house.store
        self.asleep = False

    async def read(self, work: Callable[[Any], Awaitable[T]]) -> T:
        if self.asleep:
            raise StoreUnavailable
        return await self._store.read(work)


async def test_a_tail_that_slept_for_long_does_not_hide_what_was_forgotten_meanwhile(
    house: House, sessions: list[Session]
) -> None:
    sleeper = Sleeper(house)
    tail = Tail(sleeper, house.queue, house.stopping)  # type: ignore[arg-type]  # tails only read
    feeds = Feeds(house.store, tail, house.store.signer, house.meter, house.stopping, checkpoint_interval=DAY)
    reading = asyncio.create_task(tail.run())
    stream = feed(feeds, house.call(), pb.StreamEventsRequest())
    async with asyncio.timeout(SECONDS), aclosing(stream) as frames:
        assert (await anext(frames)).HasField("opened")
        sleeper.asleep = True
        await tell(house, 5, sessions)
        house.clock.ahead += 31 * DAY
        assert await forget(house) >= 5
        sleeper.asleep = False
        await tell(house, 1, sessions)
        with pytest.raises(CursorExpired):
            async for _ in frames:
                pass
    reading.cancel()


STEPS = st.lists(st.tuples(st.sampled_from(["tell", "forget"]), st.integers(1, 40)), min_size=1, max_size=12)


@given(STEPS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_behind_each_cursor_are_all_events_or_the_word_that_it_has_expired(
    house: House, sessions: list[Session], steps: list[tuple[str, int]]
) -> None:
    begin = await house.newest()
    told: list[tuple[str, str]] = []
    for what, count in steps:
        if what == "tell":
            await tell(house, count, sessions)
            told += [(event.event_id, event.cursor) for event in await everything(house, begin + len(told))]
        else:
            house.clock.ahead += timedelta(days=count)
            await forget(house)
        await judge(house, told)


async def everything(house: House, after: int) -> list[event_pb2.Event]:
    cursor = house.store.signer.cursor(house.call().tenant_id, after)
    return list((await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=cursor, page_size=500))).events)


async def judge(house: House, told: list[tuple[str, str]]) -> None:
    """Come with each cursor that was ever told."""
    kept = {event_of(stored).event_id for stored in await house.stored_log()}
    for place, (_, cursor) in enumerate(told):
        behind = [event_id for event_id, _ in told[place + 1 :]]
        request = pb.ListEventsRequest(after_cursor=cursor, page_size=500)
        try:
            page = await house.feeds.list(house.call(), request)
        except CursorExpired:
            assert not kept.issuperset(behind)
        else:
            assert [event.event_id for event in page.events] == behind[:500]
