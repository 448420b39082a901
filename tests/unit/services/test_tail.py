from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import NotSent
from gateway.domain.sessions import Session
from gateway.services import tail as tail_module
from gateway.services.tail import Tail
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.told import tell, with_a_short_tail


def test_before_it_runs_a_tail_knows_that_it_knows_nothing(house: House) -> None:
    tail = Tail(house.store, house.queue, house.stopping)
    assert tail.behind(0, 10) is None
    assert (tail.start, tail.newest) == (0, 0)


async def test_a_tail_begins_at_the_end_of_the_log_and_grows_with_it(house: House, sessions: list[Session]) -> None:
    before = await house.newest()
    async with with_a_short_tail(house, 1_000_000) as (tail, _):
        await eventually(lambda: tail.start == before)
        assert tail.behind(before - 1, 10) is None
        assert tail.behind(before, 10) == []
        await tell(house, 30, sessions)
        await eventually(lambda: tail.newest > before)
        log = await house.stored_log(after=before)
        assert tail.behind(before, 1000) == log
        assert tail.behind(log[9].position, 5) == log[10:15]
        assert tail.behind(log[-1].position, 5) == []


async def test_while_nobody_follows_nothing_is_read_and_who_follows_again_misses_nothing(
    house: House, sessions: list[Session]
) -> None:
    tail = Tail(house.store, house.queue, house.stopping)
    reading = asyncio.create_task(tail.run())
    async with tail.followed():
        await tell(house, 5, sessions)
        await eventually(lambda: tail.newest == tail.start + 5)
    last = tail.newest
    await tell(house, 1, sessions)
    await eventually(lambda: not tail.is_reading)
    await tell(house, 5, sessions)
    assert tail.newest <= last + 1
    async with tail.followed():
        begun = await house.newest()
        assert (tail.start, tail.behind(last, 10)) == (begun, None)
        await tell(house, 3, sessions)
        await eventually(lambda: tail.newest == begun + 3)
        assert tail.behind(begun, 10) == await house.stored_log(after=begun)
    reading.cancel()


async def test_who_follows_while_the_log_cannot_be_read_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_BEGIN_SECONDS", 0.05)
    unread = Tail(house.store, house.queue, house.stopping)
    with pytest.raises(StoreUnavailable):
        async with unread.followed():
            raise AssertionError("nobody reads it")


async def test_a_wait_ends_with_the_first_event_or_with_its_time(house: House, sessions: list[Session]) -> None:
    newest = await house.newest()
    await eventually(lambda: house.tail.newest == newest)
    assert not await house.tail.grown_beyond(newest, 0.01)
    waiting = asyncio.create_task(house.tail.grown_beyond(newest, SECONDS))
    await tell(house, 1, sessions)
    assert await waiting
    assert await house.tail.grown_beyond(newest, 0)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(1, 20_000))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_a_tail_holds_is_the_end_of_the_log_within_its_bound(
    house: House, sessions: list[Session], counts: list[int], kept_bytes: int
) -> None:
    begin = await house.newest()
    async with with_a_short_tail(house, kept_bytes) as (tail, _):
        for count in counts:
            await tell(house, count, sessions)
        await eventually(lambda: tail.newest == begin + sum(counts))
        held = tail.behind(tail.start, 1000)
        assert held == await house.stored_log(after=tail.start)
        assert held is not None
        assert sum(len(event.body) for event in held) <= kept_bytes or len(held) == 1
        assert tail.behind(tail.start - 1, 1) is None


async def test_each_watcher_of_a_message_is_told_its_steps_and_no_others(house: House, lease: Lease) -> None:
    message_id, other = await house.send(to="+4915100000011"), await house.send(to="+4915100000012")
    async with house.tail.watch_message(message_id) as one, house.tail.watch_message(message_id) as two:
        for begun in (other, message_id):
            await house.outbox.begin(lease, begun)
        for steps in (one, two):
            event = await asyncio.wait_for(steps.get(), SECONDS)
            assert event.message_status_changed.message_id == message_id
            assert steps.empty()
    await house.outbox.finish(lease, message_id, NotSent("no line"))
    newest = await house.newest()
    await eventually(lambda: house.tail.newest == newest)
    assert one.empty()
