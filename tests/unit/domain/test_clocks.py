from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.clocks import (
    from_duration,
    from_micros,
    from_timestamp,
    to_duration,
    to_micros,
    to_timestamp,
)

MOMENTS = st.datetimes(timezones=st.just(UTC))
INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)


@given(MOMENTS)
def test_a_moment_comes_back_as_it_was(moment: datetime) -> None:
    assert from_timestamp(to_timestamp(moment)) == moment
    assert from_micros(to_micros(moment)) == moment


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36_500)))
def test_a_span_comes_back_as_it_was(span: timedelta) -> None:
    assert from_duration(to_duration(span)) == span


def test_no_moment_stays_unset() -> None:
    assert to_timestamp(None) is None


@given(INT64, INT32)
def test_a_caller_can_write_no_timestamp_that_cannot_be_read(seconds: int, nanos: int) -> None:
    moment = from_timestamp(Timestamp(seconds=seconds, nanos=nanos))
    assert datetime.min.replace(tzinfo=UTC) <= moment <= datetime.max.replace(tzinfo=UTC)


def test_what_lies_beyond_the_calendar_is_its_end() -> None:
    assert from_timestamp(Timestamp(seconds=2**62)).year == 9999
    assert from_timestamp(Timestamp(seconds=-(2**62))).year == 1


def test_nanoseconds_are_cut_to_microseconds() -> None:
    assert from_timestamp(Timestamp(seconds=1, nanos=1999)) == from_micros(1_000_001)
    assert from_duration(Duration(seconds=1, nanos=1999)) == timedelta(seconds=1, microseconds=1)
