"""Frames are the bytes that the contract's own classes write; an event is serialised once for all who see the same."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.cursors import Signer
from gateway.domain.events import StoredEvent
from gateway.domain.sessions import Session
from gateway.services import log
from gateway.services.frames import FRAME_BYTES, ShownEvents, frames
from tests.unit.services.house import House
from tests.unit.services.told import feed, tell
from wagate.v1 import content_pb2, event_pb2, message_pb2
from wagate.v1.event_service_pb2 import StreamEventsRequest, StreamEventsResponse

SIGNER = Signer(b"secret", "log")


def an_event(position: int, text: str = "", *, tenant_id: str = DEFAULT_TENANT, raw: bytes = b"") -> StoredEvent:
    content = content_pb2.Content(text=content_pb2.Text(text=text))
    if raw:
        content = content_pb2.Content(unsupported=content_pb2.Unsupported(provider_kind="order", raw=raw))
    received = event_pb2.MessageReceived(message=message_pb2.Message(message_id=f"m_{position}", content=content))
    event = event_pb2.Event(event_id=f"e_{position}", kind="message.received", message_received=received)
    moment = datetime.now(UTC)
    body = event.SerializeToString()
    return StoredEvent(position, tenant_id, "sales", "s_1", position, event.kind, "", moment, body)


def as_generated(events: list[event_pb2.Event], most: int) -> list[bytes]:
    """Frames as the generated class writes them."""
    if most <= 1:
        return [StreamEventsResponse(event=event).SerializeToString() for event in events]
    groups = [events[begin : begin + most] for begin in range(0, len(events), most)]
    return [
        StreamEventsResponse(events=StreamEventsResponse.Events(events=group)).SerializeToString() for group in groups
    ]


@given(st.lists(st.integers(0, 40_000), max_size=12), st.sampled_from([0, 1, 2, 3, 500]))
def test_frames_are_the_bytes_of_the_generated_class(lengths: list[int], most: int) -> None:
    shown = ShownEvents(SIGNER)
    stored = [an_event(place + 1, "x" * length) for place, length in enumerate(lengths)]
    packed = [shown.pack_once(event, raw=False) for event in stored]
    assert list(frames(packed, most)) == as_generated([shown.show(event, raw=False) for event in stored], most)


@given(st.lists(st.integers(0, 256 * 1024), max_size=20))
def test_frames_of_several_are_as_full_as_their_bound_allows_and_never_longer(lengths: list[int]) -> None:
    shown = ShownEvents(SIGNER)
    packed = [shown.pack(an_event(place + 1, "x" * length), raw=False) for place, length in enumerate(lengths)]
    made = list(frames(packed, 500))
    assert all(len(frame) <= FRAME_BYTES for frame in made)
    assert all(len(one) + len(other) > FRAME_BYTES for one, other in pairwise(made))
    told = [event for frame in made for event in StreamEventsResponse.FromString(frame).events.events]
    assert [event.sequence for event in told] == list(range(1, len(lengths) + 1))


def test_an_event_is_serialised_once_for_all_who_see_the_same_of_it() -> None:
    shown, event = ShownEvents(SIGNER), an_event(1, raw=b"bytes of WhatsApp")
    assert shown.pack_once(event, raw=True) is shown.pack_once(event, raw=True)
    assert shown.pack_once(event, raw=False) is shown.pack_once(event, raw=False)
    assert b"bytes of WhatsApp" in shown.pack_once(event, raw=True)
    assert b"bytes of WhatsApp" not in shown.pack_once(event, raw=False)


def test_of_what_was_serialised_the_newest_is_held_within_its_bound() -> None:
    shown = ShownEvents(SIGNER, held_bytes=10_000)
    events = [an_event(place, "x" * 1_000) for place in range(1, 101)]
    packed = [shown.pack_once(event, raw=False) for event in events]
    for event, before in list(zip(events, packed, strict=True))[-5:]:
        assert shown.pack_once(event, raw=False) is before
    assert shown.pack_once(events[0], raw=False) is not packed[0]


async def test_no_tenant_is_told_what_happened_to_another_in_frames_of_either_form(
    house: House, sessions: list[Session]
) -> None:
    merged = event_pb2.Event(identity_merged=event_pb2.IdentityMerged())
    for seed in range(5):
        await tell(house, 10, sessions, seed=seed)
        await house.store.write(lambda uow: log.tell_tenant(uow, "other", merged))
    two_tenants = (DEFAULT_TENANT, "other")
    for tenant in two_tenants:
        wanted = {event.event_id for event in await events_of(house, tenant, 1)}
        for most in (2, 500):
            told = [event.event_id for event in await events_of(house, tenant, most)]
            assert set(told) == wanted
            assert len(told) == len(wanted)
        assert wanted
    one, other = [{event.event_id for event in await events_of(house, tenant, 7)} for tenant in two_tenants]
    assert one.isdisjoint(other)
    assert len(other) == 5


async def events_of(house: House, tenant: str, most: int) -> list[event_pb2.Event]:
    """All events that a tenant is told."""
    told: list[event_pb2.Event] = []
    request = StreamEventsRequest(earliest=True, max_events_per_frame=most)
    async with aclosing(feed(house.feeds, house.call(tenant=tenant), request)) as stream:
        async for frame in stream:
            told += [frame.event] if frame.HasField("event") else frame.events.events
            if frame.checkpoint.live:
                break
    return told
