"""Feeds: exactly the events behind a cursor, history first and then live, without gap or repeat."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, suppress
from datetime import UTC, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.clocks import to_timestamp
from gateway.domain.errors import AddressInvalid, CursorInvalid
from gateway.domain.events import EventFilter, StoredEvent
from gateway.domain.identities import Names
from gateway.domain.lines import MessageArrived
from gateway.domain.sessions import Session
from gateway.services.feeds import Feeds
from gateway.services.identities import learn
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House, event_of
from tests.unit.services.telling import PHONE, person, place, says
from tests.unit.services.told import CHATS, feed, tell, with_a_short_tail
from wagate.v1 import content_pb2, event_pb2
from wagate.v1 import event_service_pb2 as pb

FILTERS = {
    "session_ids": ([], ["sales"], ["sales", "shop"], ["nowhere"]),
    "kinds": ([], ["message.received"], ["message.*"], ["session.*", "identity.merged"], ["news.of_tomorrow"]),
    "chat_ids": ([], [CHATS[0]], list(CHATS[1:])),
}


@pytest.fixture
async def told(house: House, sessions: list[Session]) -> list[StoredEvent]:
    """The log of a thousand events."""
    for seed in range(10):
        await tell(house, 100, sessions, seed=seed)
    events = await house.stored_log()
    await eventually(lambda: house.tail.newest == events[-1].position)
    return events


async def until_live(
    house: House, request: pb.StreamEventsRequest, feeds: Feeds | None = None
) -> tuple[list[str], list[pb.StreamEventsResponse]]:
    """The ids of the events that a feed tells before it is live, and all frames."""
    frames: list[pb.StreamEventsResponse] = []
    async with asyncio.timeout(SECONDS), aclosing(feed(feeds or house.feeds, house.call(), request)) as stream:
        async for frame in stream:
            frames.append(frame)
            if frame.checkpoint.live:
                break
    return [event.event_id for frame in frames for event in events_in(frame)], frames


def events_in(frame: pb.StreamEventsResponse) -> list[event_pb2.Event]:
    """The events of a frame, of either form."""
    return [frame.event] if frame.HasField("event") else list(frame.events.events)


def ids(events: list[StoredEvent]) -> list[str]:
    return [event_of(event).event_id for event in events]


def a_filter(chance: random.Random) -> tuple[pb.EventFilter, EventFilter]:
    """A filter as callers write it, and as the domain judges by it."""
    chosen = {name: chance.choice(choices) for name, choices in FILTERS.items()}
    asked = pb.EventFilter(**chosen)  # type: ignore[arg-type]
    tenant_events = not chosen["session_ids"]
    if chance.random() < 0.5:
        asked.tenant_events = tenant_events = chance.random() < 0.5
    return asked, EventFilter(
        session_ids=frozenset(chosen["session_ids"]),
        kinds=frozenset(chosen["kinds"]),
        chat_ids=frozenset(chosen["chat_ids"]),
        tenant_events=tenant_events,
    )


async def test_a_thousand_events_and_fifty_resumes_give_exactly_what_is_behind_each_cursor(
    house: House, told: list[StoredEvent]
) -> None:
    chance = random.Random(1)
    async with with_a_short_tail(house, 20_000) as (_, short):
        for number in range(50):
            at = chance.choice(told).position
            asked, which = a_filter(chance)
            most = chance.choice((0, 1, 2, 7, 32, 500))
            request = pb.StreamEventsRequest(filter=asked, after_cursor=house.store.signer.cursor(DEFAULT_TENANT, at))
            request.max_events_per_frame = most
            seen, frames = await until_live(house, request, short if number % 2 else house.feeds)
            assert seen == ids([event for event in told if event.position > at and which.wants(event)])
            assert {frame.WhichOneof("frame") for frame in frames if events_in(frame)} <= {
                "events" if most > 1 else "event"
            }
            assert max(len(events_in(frame)) for frame in frames) <= max(most, 1)


async def test_pages_of_the_log_give_the_same_and_say_whether_there_is_more(
    house: House, told: list[StoredEvent]
) -> None:
    chance = random.Random(2)
    for _ in range(10):
        at = chance.choice(told).position
        asked, which = a_filter(chance)
        request = pb.ListEventsRequest(
            filter=asked, after_cursor=house.store.signer.cursor(DEFAULT_TENANT, at), page_size=chance.choice((50, 333))
        )
        seen: list[str] = []
        while True:
            page = await house.feeds.list(house.call(), request)
            assert len(page.events) <= request.page_size
            seen += [event.event_id for event in page.events]
            request.after_cursor = page.next_cursor
            if not page.has_more:
                break
        assert seen == ids([event for event in told if event.position > at and which.wants(event)])
        assert not (await house.feeds.list(house.call(), request)).events


async def test_every_event_comes_with_a_cursor_from_which_the_next_one_follows(
    house: House, told: list[StoredEvent]
) -> None:
    _, frames = await until_live(house, pb.StreamEventsRequest(earliest=True))
    events = [frame.event for frame in frames if frame.HasField("event")]
    assert [event.event_id for event in events] == ids(told)
    assert [event.sequence for event in events] == [event.sequence for event in told]
    for place_ in (0, 500, len(events) - 2):
        seen, _ = await until_live(house, pb.StreamEventsRequest(after_cursor=events[place_].cursor))
        assert seen[0] == events[place_ + 1].event_id


async def test_a_feed_begins_now_at_a_time_or_at_the_oldest_event(house: House, told: list[StoredEvent]) -> None:
    now, frames = await until_live(house, pb.StreamEventsRequest())
    assert now == []
    assert frames[0].opened.cursor == house.store.signer.cursor(DEFAULT_TENANT, told[-1].position)
    assert frames[0].opened.oldest_cursor == house.store.signer.cursor(DEFAULT_TENANT, told[0].position - 1)
    moment = told[400].record_time
    since, _ = await until_live(house, pb.StreamEventsRequest(since_time=to_timestamp(moment)))
    assert since == ids([event for event in told if event.record_time >= moment])
    listed = await house.feeds.list(house.call(), pb.ListEventsRequest(since_time=to_timestamp(moment), page_size=500))
    assert [event.event_id for event in listed.events] == since[:500]


@pytest.mark.parametrize(("kept_bytes", "most"), [(1, 1), (2_000, 1), (2_000, 50), (20_000_000, 5)])
async def test_between_history_and_live_and_behind_the_tail_nothing_is_missed_or_told_twice(
    house: House, sessions: list[Session], kept_bytes: int, most: int
) -> None:
    await tell(house, 200, sessions)
    seen: list[str] = []
    request = pb.StreamEventsRequest(earliest=True, max_events_per_frame=most)
    async with with_a_short_tail(house, kept_bytes) as (tail, feeds):

        async def read() -> None:
            async with aclosing(feed(feeds, house.call(), request)) as frames:
                async for frame in frames:
                    seen.extend(event.event_id for event in events_in(frame))
                    if len(seen) % 50 == 0:
                        await eventually(lambda: tail.newest > 0)

        reading = asyncio.create_task(read())
        for seed in range(20):
            await tell(house, 17, sessions, seed=seed)
        log_ids = ids(await house.stored_log())
        await eventually(lambda: len(seen) >= len(log_ids))
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    assert seen == log_ids


@pytest.mark.parametrize("most", [1, 20])
async def test_a_reader_that_rests_while_much_is_told_gets_all_of_it_in_order(
    house: House, sessions: list[Session], most: int
) -> None:
    request = pb.StreamEventsRequest(earliest=True, max_events_per_frame=most)
    async with (
        with_a_short_tail(house, 2_000) as (tail, feeds),
        aclosing(feed(feeds, house.call(), request)) as frames,
        asyncio.timeout(SECONDS),
    ):
        first = await anext(frames)
        await tell(house, 500, sessions)
        expected = ids(await house.stored_log())
        await eventually(lambda: tail.start > 400)
        seen: list[str] = []
        while len(seen) < len(expected):
            seen += [event.event_id for event in events_in(await anext(frames))]
    assert first.HasField("opened")
    assert seen == expected


async def test_a_checkpoint_says_when_history_is_told_and_then_comes_at_least_so_often(
    house: House, told: list[StoredEvent]
) -> None:
    request = pb.StreamEventsRequest(earliest=True, checkpoint_interval=Duration(nanos=50_000_000))
    checkpoints: list[pb.StreamEventsResponse.Checkpoint] = []
    events = 0
    async with asyncio.timeout(SECONDS), aclosing(feed(house.feeds, house.call(), request)) as frames:
        async for frame in frames:
            if frame.HasField("checkpoint"):
                checkpoints.append(frame.checkpoint)
                assert frame.checkpoint.live == (events == len(told))
            events += frame.HasField("event")
            if len(checkpoints) >= 6:
                break
    assert checkpoints[-1].live
    newest = house.store.signer.cursor(DEFAULT_TENANT, told[-1].position)
    assert {checkpoint.cursor for checkpoint in checkpoints if checkpoint.live} == {newest}
    assert checkpoints[-1].lag.ToTimedelta() == timedelta(0)


async def test_a_feed_says_goodbye_with_a_cursor_when_the_server_stops(house: House, told: list[StoredEvent]) -> None:
    frames: list[pb.StreamEventsResponse] = []

    async def read() -> None:
        async with aclosing(feed(house.feeds, house.call(), pb.StreamEventsRequest(earliest=True))) as stream:
            async for frame in stream:
                frames.append(frame)  # noqa: PERF401  # looked at while it grows

    reading = asyncio.create_task(read())
    await eventually(lambda: any(frame.checkpoint.live for frame in frames))
    house.stopping.set()
    await asyncio.wait_for(reading, SECONDS)
    assert frames[-1].WhichOneof("frame") == "goodbye"
    goodbye = frames[-1].goodbye
    assert house.store.signer.position(DEFAULT_TENANT, goodbye.cursor) == told[-1].position
    assert goodbye.retry_delay.ToTimedelta() > timedelta(0)


async def test_cursors_of_others_and_garbage_are_refused_by_both_calls(house: House, told: list[StoredEvent]) -> None:
    del told
    for cursor in ("garbage", "", house.store.signer.cursor("other", 1)):
        with pytest.raises(CursorInvalid):
            await anext(feed(house.feeds, house.call(), pb.StreamEventsRequest(after_cursor=cursor)))
        with pytest.raises(CursorInvalid):
            await house.feeds.list(house.call(), pb.ListEventsRequest(after_cursor=cursor))
    bad = pb.EventFilter(chat_ids=[PHONE, "+49 151"])
    with pytest.raises(AddressInvalid) as caught:
        await anext(feed(house.feeds, house.call(), pb.StreamEventsRequest(filter=bad)))
    assert caught.value.field == "filter.chat_ids[1]"


async def test_another_tenant_sees_nothing_of_this_one_and_is_live_at_once(
    house: House, told: list[StoredEvent]
) -> None:
    del told
    for start in (pb.StreamEventsRequest(earliest=True, max_events_per_frame=9), pb.StreamEventsRequest()):
        frames: list[pb.StreamEventsResponse] = []
        async with asyncio.timeout(SECONDS), aclosing(feed(house.feeds, house.call(tenant="other"), start)) as stream:
            async for frame in stream:
                frames.append(frame)
                if frame.checkpoint.live:
                    break
        assert not any(events_in(frame) for frame in frames)


async def test_a_chat_is_followed_when_it_turns_out_to_be_another(house: House) -> None:
    lease = await house.linked()
    await house.inbox.message(lease, says("from my number", place(person(phone_number=PHONE))))
    await house.inbox.message(lease, says("from my LID", place(person("200@lid"))))
    request = pb.StreamEventsRequest(filter=pb.EventFilter(chat_ids=["200@lid"], kinds=["message.received"]))
    async with aclosing(feed(house.feeds, house.call(), request)) as frames:
        assert (await anext(frames)).HasField("opened")
        await house.store.write(lambda uow: learn(uow, DEFAULT_TENANT, Names("200@lid", PHONE)))
        await house.inbox.message(lease, says("one and the same", place(person("200@lid", PHONE))))
        async with asyncio.timeout(SECONDS):
            while not (frame := await anext(frames)).HasField("event"):
                pass
    assert frame.event.message_received.message.content.text.text == "one and the same"
    everything, _ = await until_live(
        house,
        pb.StreamEventsRequest(earliest=True, filter=pb.EventFilter(chat_ids=[PHONE], kinds=["message.received"])),
    )
    assert len(everything) == 3


async def test_the_providers_bytes_are_told_to_nobody_without_the_scope_for_them(house: House) -> None:
    lease = await house.linked()
    unsupported = content_pb2.Content(unsupported=content_pb2.Unsupported(provider_kind="order", raw=b"raw"))
    await house.inbox.message(lease, MessageArrived(place(person("200@lid")), unsupported))
    request = pb.ListEventsRequest(filter=pb.EventFilter(kinds=["message.received"]))
    for scopes, raw in ((["events:read"], b""), (["events:read", "messages:raw"], b"raw")):
        (event,) = (await house.feeds.list(house.call(scopes=scopes), request)).events
        assert event.message_received.message.content.unsupported.raw == raw


async def test_a_reader_who_wants_nothing_of_a_long_tail_lets_others_work_meanwhile(
    house: House, told: list[StoredEvent]
) -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    begin = house.store.signer.cursor(DEFAULT_TENANT, house.tail.start)
    request = pb.StreamEventsRequest(after_cursor=begin, filter=pb.EventFilter(kinds=["news.of_tomorrow"]))
    async with aclosing(feed(house.feeds, house.call(), request)) as frames:
        await anext(frames)
        working = asyncio.create_task(work())
        while not (await anext(frames)).checkpoint.live:
            pass
        working.cancel()
    assert turns >= len(told) // 50


async def test_the_clock_of_the_server_is_told_at_the_opening(house: House) -> None:
    async with aclosing(feed(house.feeds, house.call(), pb.StreamEventsRequest())) as frames:
        opened = (await anext(frames)).opened
    assert abs(opened.server_time.ToDatetime(UTC) - house.clock.now()) < timedelta(seconds=SECONDS)
