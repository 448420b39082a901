"""Pairing: what holds of every attempt."""

from typing import Final

MOST_WATCHERS: Final = 8
LAST_FRAMES: Final = frozenset({"connected", "failed"})
"""The frames that end an attempt."""
