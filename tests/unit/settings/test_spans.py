"""Spans are read as they are written, and whatever else is written is refused with a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import SettingsError, load
from gateway.settings.spans import parse_span, write_span

NEARLY = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"([0-9]{1,25}(\.[0-9]{0,25})?(ms|d|h|m|s|us)?){1,4}", fullmatch=True),
)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta.max))
def test_a_span_is_read_as_it_was_written(span: timedelta) -> None:
    assert parse_span(write_span(span)) == span


@given(NEARLY)
def test_whatever_is_written_is_a_span_or_refused_as_none(text: str) -> None:
    try:
        span = parse_span(text)
    except ValueError:
        return
    assert span >= timedelta(0)
    assert parse_span(write_span(span)) == span


@pytest.mark.parametrize("text", ["9999999999d", "9" * 400 + "h", "999999999d24h"])
def test_a_span_longer_than_any_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(SettingsError, match=r"outbox\.give_up_after should be a span"):
        load(flags={"outbox": {"give_up_after": text}})
