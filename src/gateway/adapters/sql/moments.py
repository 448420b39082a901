"""Moments that may be absent, between what lives and what is stored."""

from datetime import datetime

from gateway.domain.clocks import from_micros, to_micros


def micros_if_any(moment: datetime | None) -> int | None:
    """Microseconds since 1970, or None for none."""
    return None if moment is None else to_micros(moment)


def moment_if_any(microseconds: int | None) -> datetime | None:
    """The moment of so many microseconds since 1970, or None for none."""
    return None if microseconds is None else from_micros(microseconds)
