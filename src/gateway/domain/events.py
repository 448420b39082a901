"""Events: what happened, as it is told and as it is stored."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from gateway.domain.clocks import to_timestamp
from gateway.domain.identities import Identity
from wagate.v1 import event_pb2 as pb


@dataclass(frozen=True, slots=True)
class Cause:
    """The call that caused a change, as its caller named it; empty where nobody called."""

    request_id: str = ""
    correlation_id: str = ""


NOBODY = Cause()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the log holds it. `position` grows with the order of the log; `body` is the `Event` as bytes,
    without `cursor` and `sequence`, which belong to the reader and the row.
    """

    position: int
    tenant_id: str
    session_id: str
    session_uid: str
    sequence: int
    kind: str
    chat_id: str
    record_time: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a reader wants; each empty field means all. `kinds` may hold `noun.*`. `chat_ids` are identity ids,
    each with its aliases.
    """

    session_ids: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    chat_ids: frozenset[str] = frozenset()
    tenant_events: bool = True

    def wants(self, event: StoredEvent) -> bool:
        """Whether the reader wants this one."""
        if not event.session_uid:
            if not self.tenant_events:
                return False
        elif self.session_ids and event.session_id not in self.session_ids:
            return False
        if self.kinds and not self._wants_kind(event.kind):
            return False
        return not self.chat_ids or event.chat_id in self.chat_ids

    def _wants_kind(self, kind: str) -> bool:
        return kind in self.kinds or kind.partition(".")[0] + ".*" in self.kinds


EVERYTHING = EventFilter()


@cache
def kind_of(field_name: str) -> str:
    """The kind of an event from the name of its field: the first `_` becomes a dot."""
    return field_name.replace("_", ".", 1)


def draft(
    what: pb.Event,
    *,
    event_id: str,
    record_time: datetime,
    session_id: str = "",
    session_uid: str = "",
    chat_id: str = "",
    actor: Identity | None = None,
    occur_time: datetime | None = None,
    cause: Cause = NOBODY,
) -> pb.Event:
    """Fill in the envelope of an event whose `what` is set; cursor and sequence are the log's."""
    field_name = what.WhichOneof("what")
    if field_name is None:
        raise ValueError("an event tells something")
    what.event_id = event_id
    what.kind = kind_of(field_name)
    what.session_id = session_id
    what.session_uid = session_uid
    what.chat_id = chat_id
    if actor is not None:
        what.actor.CopyFrom(actor.to_proto())
    recorded = to_timestamp(record_time)
    what.record_time.CopyFrom(recorded)
    what.occur_time.CopyFrom(to_timestamp(occur_time) if occur_time else recorded)
    what.request_id = cause.request_id
    what.correlation_id = cause.correlation_id
    return what
