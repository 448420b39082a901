"""A feed that is resumed from any cursor tells exactly the events after it, whatever its filter."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from tests.acceptance.history import History, much_happened
from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from wagate.v1 import event_pb2
from wagate.v1.event_service_pb2 import EventFilter, ListEventsRequest, StreamEventsRequest


@pytest.fixture(scope="module")
async def history(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[History]:
    """A log of more than a thousand events, at rest."""
    async with much_happened(lab, tmp_path_factory.mktemp("log") / "gateway") as history:
        yield history


async def streamed(gateway: Gateway, **start: Any) -> list[event_pb2.Event]:
    """What a feed tells until it says that it is live."""
    told: list[event_pb2.Event] = []
    stream = gateway.feeds.StreamEvents(StreamEventsRequest(**start))
    try:
        async for frame in stream:
            told += [frame.event] if frame.HasField("event") else frame.events.events
            if frame.checkpoint.live:
                return told
    finally:
        stream.cancel()
    raise AssertionError("the feed ended before it was live")


async def listed(gateway: Gateway, page_size: int, **start: Any) -> list[event_pb2.Event]:
    """What pages of the log show, to the last."""
    told: list[event_pb2.Event] = []
    page = await gateway.feeds.ListEvents(ListEventsRequest(page_size=page_size, **start))
    while page.has_more:
        assert len(page.events) == page_size
        told += page.events
        following = ListEventsRequest(page_size=page_size, after_cursor=page.next_cursor, filter=start.get("filter"))
        page = await gateway.feeds.ListEvents(following)
    return [*told, *page.events]


def ids(events: Sequence[event_pb2.Event]) -> list[str]:
    """What tells events apart."""
    return [event.event_id for event in events]


async def test_fifty_feeds_resumed_anywhere_tell_exactly_what_comes_after(
    history: History, record_property: Callable[[str, object], None]
) -> None:
    assert len(history.told) >= 1000
    seed = random.randrange(2**32)
    record_property("seed", seed)
    dice = random.Random(seed)
    cursors = dice.choices([history.begin, *(event.cursor for event in history.told)], k=50)
    filters = [history.some_filter(dice) if number % 5 else EventFilter() for number in range(50)]
    async with asyncio.TaskGroup() as group:
        for cursor, asked in zip(cursors, filters, strict=True):
            group.create_task(resumed_rightly(history, cursor, asked, dice.choice((1, 3, 500)), seed))


async def resumed_rightly(history: History, cursor: str, asked: EventFilter, most: int, seed: int) -> None:
    """See that a stream with so many events in a frame, and pages, tell what comes after a cursor."""
    wanted = history.after(cursor, asked)
    asking = f"seed {seed}: after {cursor}, {asked}, {most} in a frame"
    told = await streamed(history.gateway, after_cursor=cursor, filter=asked, max_events_per_frame=most)
    assert told == wanted, asking
    assert await listed(history.gateway, 500, after_cursor=cursor, filter=asked) == wanted, asking


async def test_a_feed_from_the_earliest_event_tells_all(history: History) -> None:
    assert ids(await streamed(history.gateway, earliest=True)) == ids(history.told)


async def test_pages_of_the_log_are_what_feeds_tell(history: History) -> None:
    assert await listed(history.gateway, 37) == list(history.told)
    of_bob = EventFilter(chat_ids=[min(history.bob_ids)], kinds=["message.*"])
    assert ids(await listed(history.gateway, 37, filter=of_bob)) == ids(history.after(history.begin, of_bob))


async def test_a_feed_from_a_time_begins_with_the_first_event_stored_then(history: History) -> None:
    for event in (history.told[0], history.told[len(history.told) // 2], history.told[-1]):
        moment = event.record_time
        first = next(
            n for n, told in enumerate(history.told) if told.record_time.ToNanoseconds() >= moment.ToNanoseconds()
        )
        assert ids(await streamed(history.gateway, since_time=moment)) == ids(history.told[first:])
        assert ids(await listed(history.gateway, 500, since_time=moment)) == ids(history.told[first:])


async def test_both_names_of_a_person_name_one_chat(history: History) -> None:
    assert len(history.bob_ids) == 2
    wanted = history.after(history.begin, EventFilter(chat_ids=[max(history.bob_ids)]))
    assert {event.chat_id for event in wanted} == history.bob_ids
    for address in history.bob_ids:
        asked = EventFilter(chat_ids=[address])
        assert ids(await streamed(history.gateway, after_cursor=history.begin, filter=asked)) == ids(wanted)


async def test_the_events_of_a_session_are_counted_without_a_gap(history: History) -> None:
    counted = defaultdict(list)
    for event in history.told:
        counted[event.session_uid].append(event.sequence)
    assert len(counted) == 3, "two sessions, and the tenant"
    for sequences in counted.values():
        assert sequences == list(range(1, len(sequences) + 1))


async def test_nothing_is_told_twice(history: History) -> None:
    assert len(set(ids(history.told))) == len(history.told)
    assert len({event.cursor for event in history.told}) == len(history.told)
