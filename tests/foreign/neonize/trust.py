"""Lets neonize trust a lab: its Go library has the root key of the real certificates among its variables."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_REAL_ROOT_KEY: Final = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw.. .*/neonize-[^/]*\.so")


def trust(root_key: bytes) -> None:
    """Put another key in the real one's place, in this process alone."""
    (place,) = _places()
    ctypes.memmove(place, root_key, len(_REAL_ROOT_KEY))


def _places() -> Iterator[int]:
    for mapping in _MAPPING.finditer(Path("/proc/self/maps").read_text()):
        start, end = (int(number, 16) for number in mapping.groups())
        held = ctypes.string_at(start, end - start)
        yield from (start + found.start() for found in re.finditer(re.escape(_REAL_ROOT_KEY), held))
