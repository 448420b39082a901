"""Frames of a feed, as the bytes of a StreamEventsResponse: what many readers see the same of is serialised once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from gateway.domain.cursors import Signer
from gateway.domain.events import StoredEvent
from gateway.services.views import hide_raw_of
from wagate.v1 import event_pb2
from wagate.v1 import event_service_pb2 as pb

FRAME_BYTES: Final = 1024 * 1024
"""No frame of several is longer: clients of gRPC take 4 MiB unless they are told otherwise."""
_HEAD_BYTES: Final = 8
"""Of a frame, before its first event, at most."""
_HELD_BYTES: Final = 8 * 1024 * 1024
_DELIMITED: Final = 2
"""The wire type of messages."""


class Pack(Protocol):
    """How an event becomes bytes: behind their length, as messages hold it."""

    def __call__(self, stored: StoredEvent, /, *, raw: bool) -> bytes:
        """The bytes of one event."""


def _tag(field_number: int) -> bytes:
    return bytes([field_number << 3 | _DELIMITED])


_EVENT: Final = _tag(pb.StreamEventsResponse.EVENT_FIELD_NUMBER)
_EVENTS: Final = _tag(pb.StreamEventsResponse.EVENTS_FIELD_NUMBER)
_EACH: Final = _tag(pb.StreamEventsResponse.Events.EVENTS_FIELD_NUMBER)


class ShownEvents:
    """Events as readers see them: with their place in the log, and without the provider's bytes unless `raw`."""

    def __init__(self, signer: Signer, *, held_bytes: int = _HELD_BYTES) -> None:
        self._signer = signer
        self._held: OrderedDict[tuple[int, bool], bytes] = OrderedDict()
        self._room = held_bytes

    def show(self, stored: StoredEvent, *, raw: bool) -> event_pb2.Event:
        """An event, whole."""
        event = event_pb2.Event.FromString(stored.body)
        event.cursor = self._signer.cursor(stored.tenant_id, stored.position)
        event.sequence = stored.sequence
        if not raw:
            _hide_raw(event)
        return event

    def pack(self, stored: StoredEvent, *, raw: bool) -> bytes:
        """The bytes of an event behind their length, as messages hold it."""
        body = self.show(stored, raw=raw).SerializeToString()
        return _varint(len(body)) + body

    def pack_once(self, stored: StoredEvent, *, raw: bool) -> bytes:
        """The same; the newest are held, for others who read them too."""
        key = (stored.position, raw)
        packed = self._held.get(key)
        if packed is None:
            packed = self._held[key] = self.pack(stored, raw=raw)
            self._room -= len(packed)
            while self._room < 0:
                _, oldest = self._held.popitem(last=False)
                self._room += len(oldest)
        return packed


def frames(packed: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Frames of at most so many events each."""
    if most <= 1:
        for event in packed:
            yield _EVENT + event
        return
    together: list[bytes] = []
    length = 0
    for event in packed:
        if together and (len(together) == most or _HEAD_BYTES + length + len(event) > FRAME_BYTES):
            yield _several(together, length)
            together, length = [], 0
        together.append(event)
        length += len(_EACH) + len(event)
    if together:
        yield _several(together, length)


def _several(packed: list[bytes], length: int) -> bytes:
    return b"".join((_EVENTS, _varint(length), _EACH, _EACH.join(packed)))


def _varint(number: int) -> bytes:
    """A number as protobuf writes it: seven bits a byte, the lowest first."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _hide_raw(event: event_pb2.Event) -> None:
    what = event.WhichOneof("what")
    if what in ("message_received", "message_accepted", "message_resolved"):
        hide_raw_of(getattr(event, what).message)
