"""Spans as people write them in settings: `15s`, `1h30m`, `250ms`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_WHOLE: Final = re.compile(rf"(?:{_PART.pattern})+")


def parse_span(text: object) -> timedelta:
    """Read a span; raises ValueError, with a sentence, for anything else, a number without a unit included."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ValueError("should be a span with its unit, such as 15s, 250ms, 24h or 1h30m")
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        raise ValueError(f"should be a span of less than {timedelta.max.days} days") from None


def write_span(span: timedelta) -> str:
    """Write a span so that `parse_span` reads the same."""
    parts: list[str] = []
    for unit, size in _UNITS.items():
        count, span = divmod(span, size)
        if count:
            parts.append(f"{count}{unit}")
    if span:
        parts.append(f"0.{span.microseconds:03}ms")
    return "".join(parts) or "0s"


Span = Annotated[timedelta, BeforeValidator(parse_span), PlainSerializer(write_span)]
"""A timedelta that is written with its unit."""


def _parse_if_any(text: object) -> timedelta | None:
    return None if text is None or text == "" else parse_span(text)


OptionalSpan = Annotated[timedelta | None, BeforeValidator(_parse_if_any)]
"""A Span, or empty for none."""
