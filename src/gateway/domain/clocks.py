"""Moments and spans between what lives (aware datetimes in UTC) and what the contract says."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, overload

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_timestamp(moment: datetime) -> Timestamp: ...
@overload
def to_timestamp(moment: datetime | None) -> Timestamp | None: ...
@lru_cache(maxsize=4096)
def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment as the contract says it; None stays unset. All who say the same moment share it: it is copied into
    messages, and never changed in place.
    """
    if moment is None:
        return None
    microseconds = to_micros(moment)
    return Timestamp(seconds=microseconds // 1_000_000, nanos=microseconds % 1_000_000 * 1000)


def from_timestamp(stamp: Timestamp) -> datetime:
    """A moment of the contract, to the microsecond. One beyond the years 1 to 9999 is their end: callers write what
    they like.
    """
    return from_micros(min(max(micros_of(stamp), _FIRST), _LAST))


def micros_of(stamp: Timestamp) -> int:
    """A moment that the gateway wrote, in microseconds since 1970."""
    return stamp.seconds * 1_000_000 + stamp.nanos // 1000


def to_duration(span: timedelta) -> Duration:
    """A span as the contract says it."""
    microseconds = span // _MICROSECOND
    return Duration(seconds=microseconds // 1_000_000, nanos=microseconds % 1_000_000 * 1000)


def from_duration(span: Duration) -> timedelta:
    """A span of the contract, to the microsecond."""
    return timedelta(seconds=span.seconds, microseconds=span.nanos // 1000)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970: how stores keep moments."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)
def from_micros(microseconds: int) -> datetime:
    """The moment of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


_FIRST: Final = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST: Final = to_micros(datetime.max.replace(tzinfo=UTC))
