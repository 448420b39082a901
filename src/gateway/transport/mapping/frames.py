"""Frames of a feed: from where one goes on after the last one told."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway.domain.errors import ConsumerTooSlow
from wagate.v1 import event_service_pb2 as pb


def too_slow(told: Message) -> ConsumerTooSlow:
    """The error that ends a stream after this frame; it names the frame's cursor, if it has one."""
    if isinstance(told, pb.StreamEventsResponse) and (frame := told.WhichOneof("frame")):
        return ConsumerTooSlow(resume_cursor=getattr(told, frame).cursor)
    return ConsumerTooSlow()
