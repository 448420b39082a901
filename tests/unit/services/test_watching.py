"""Watching one message: as it is, then every revision in order."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest

from gateway.domain.errors import MessageNotFound, ShuttingDown
from gateway.domain.leases import Lease
from gateway.domain.lines import NotSent, OutcomeUnknown, Refused
from gateway.domain.messages import Level, State
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, arrives, goes_out, person, place, receipt, says, says_the_unreadable
from wagate.v1 import message_pb2
from wagate.v1 import message_service_pb2 as pb

Until = pb.WatchMessageRequest.Until


class Watch:
    """Someone who watches a message."""

    def __init__(self, house: House, message_id: str, until: Until.ValueType = Until.UNTIL_UNSPECIFIED) -> None:
        self.frames: list[message_pb2.Message] = []
        request = pb.WatchMessageRequest(session_id="sales", message_id=message_id, until=until)
        self._task = asyncio.create_task(self._watch(house, request))

    async def _watch(self, house: House, request: pb.WatchMessageRequest) -> None:
        async with aclosing(house.messages.watch(house.call(), request)) as frames:
            async for frame in frames:
                self.frames.append(frame.message)

    async def begun(self) -> None:
        await eventually(lambda: bool(self.frames) or self._task.done())

    async def ends(self) -> list[message_pb2.Message]:
        await asyncio.wait_for(self._task, SECONDS)
        return self.frames


def revisions(frames: list[message_pb2.Message]) -> list[int]:
    return [frame.revision for frame in frames]


async def goes_all_the_way(house: House, lease: Lease, message_id: str) -> None:
    """Refused once, lost once, sent, delivered, read, played."""
    await goes_out(house, lease, message_id, NotSent("no line"))
    await goes_out(house, lease, message_id, OutcomeUnknown("the answer was lost"))
    await goes_out(house, lease, message_id)
    for level in (Level.LEVEL_DELIVERED, Level.LEVEL_READ, Level.LEVEL_PLAYED):
        await receipt(house, lease, level, message_id)


async def test_every_revision_is_shown_in_order_from_the_first_to_the_last_step(house: House, lease: Lease) -> None:
    message_id = await house.send()
    watch = Watch(house, message_id, Until.UNTIL_PLAYED)
    await watch.begun()
    await goes_all_the_way(house, lease, message_id)
    frames = await watch.ends()
    assert revisions(frames) == list(range(1, frames[-1].revision + 1))
    assert frames[-1] == await house.shown(message_id)


async def test_no_revision_is_missed_or_shown_twice_when_changes_race_with_the_first_look(
    house: House, lease: Lease
) -> None:
    for head_start in range(8):
        message_id = await house.send()
        changing = asyncio.create_task(goes_all_the_way(house, lease, message_id))
        for _ in range(head_start):
            await asyncio.sleep(0)
        watch = Watch(house, message_id, Until.UNTIL_PLAYED)
        await changing
        frames = await watch.ends()
        assert revisions(frames) == list(range(frames[0].revision, frames[-1].revision + 1))
        assert frames[-1] == await house.shown(message_id)


@pytest.mark.parametrize(
    ("until", "level"),
    [
        (Until.UNTIL_SENT, Level.LEVEL_UNSPECIFIED),
        (Until.UNTIL_DELIVERED, Level.LEVEL_DELIVERED),
        (Until.UNTIL_UNSPECIFIED, Level.LEVEL_READ),
        (Until.UNTIL_PLAYED, Level.LEVEL_PLAYED),
    ],
)
async def test_a_watch_ends_with_the_frame_of_the_step_it_was_for(
    house: House, lease: Lease, until: Until.ValueType, level: Level.ValueType
) -> None:
    message_id = await house.send()
    watch = Watch(house, message_id, until)
    await watch.begun()
    await goes_all_the_way(house, lease, message_id)
    last = (await watch.ends())[-1]
    assert (last.state, last.reach.furthest) == (State.STATE_SENT, level)
    assert last.HasField("send_time")


async def test_a_watch_of_what_fails_ends_with_the_failure(house: House, lease: Lease) -> None:
    message_id = await house.send()
    watch = Watch(house, message_id)
    await watch.begun()
    await goes_out(house, lease, message_id, Refused("463"))
    frames = await watch.ends()
    assert [frame.state for frame in frames] == [State.STATE_QUEUED, State.STATE_SENDING, State.STATE_FAILED]
    assert frames[-1].failure.provider_code == "463"


async def test_a_hold_is_shown_while_it_lasts(house: House, lease: Lease) -> None:
    message_id = await house.send()
    watch = Watch(house, message_id, Until.UNTIL_SENT)
    await watch.begun()
    await goes_out(house, lease, message_id, Refused("503"))
    house.clock.ahead += timedelta(seconds=3)
    await goes_out(house, lease, message_id)
    frames = await watch.ends()
    assert [frame.HasField("hold") for frame in frames] == [False, False, True, False, False]
    assert [frame.attempt_count for frame in frames] == [0, 1, 1, 2, 2]


async def test_what_has_ended_or_was_received_is_shown_once(house: House, lease: Lease) -> None:
    ended, received = await house.send(), await arrives(house, lease, "Good day")
    await goes_out(house, lease, ended, Refused("463"))
    for message_id in (ended, received):
        assert await Watch(house, message_id).ends() == [await house.shown(message_id)]


async def test_a_placeholder_is_watched_by_nobody_for_long(house: House, lease: Lease) -> None:
    where = place(person(phone_number=PHONE))
    await house.inbox.undecryptable(lease, says_the_unreadable(where))
    (placeholder,) = await house.all_messages()
    frames = await Watch(house, placeholder.message_id).ends()
    assert [frame.state for frame in frames] == [State.STATE_RECEIVED]
    await house.inbox.message(lease, says("Good day", where))


async def test_a_watch_ends_when_the_server_stops(house: House, lease: Lease) -> None:
    del lease
    watch = Watch(house, await house.send())
    await watch.begun()
    house.stopping.set()
    with pytest.raises(ShuttingDown):
        await watch.ends()


async def test_only_a_message_of_the_session_can_be_watched(house: House, lease: Lease) -> None:
    del lease
    with pytest.raises(MessageNotFound):
        await Watch(house, "m_unknown").ends()
