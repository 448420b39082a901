"""Frames of a feed: from where one goes on after the last one told."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway.domain.errors import ConsumerTooSlow
from wagate.v1 import event_service_pb2 as pb


def too_slow(told: Message | bytes) -> ConsumerTooSlow:
    """The error that ends a stream after this frame; it names the frame's cursor, if it has one. Bytes are a feed's."""
    frame = pb.StreamEventsResponse.FromString(told) if isinstance(told, bytes) else told
    if isinstance(frame, pb.StreamEventsResponse) and (kind := frame.WhichOneof("frame")):
        last = frame.events.events[-1] if kind == "events" else getattr(frame, kind)
        return ConsumerTooSlow(resume_cursor=last.cursor)
    return ConsumerTooSlow()
