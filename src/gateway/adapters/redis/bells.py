"""Bells on their way out: a bell that rings a hundred times before it leaves is told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from gateway.adapters.redis.connections import Command
from gateway.adapters.redis.keys import Keys

_WAITING_AT_MOST: Final = 10_000
_KEPT_AT_MOST: Final = 1000


class Bells:
    """Gathers bells, and writes them into the streams of their shards. More than can wait are not told at all: whoever
    listens looks by itself soon.
    """

    def __init__(self, keys: Keys, process: str) -> None:
        self._keys = keys
        self._process = process
        self._waiting: dict[str, None] = {}

    def add(self, bells: Iterable[str]) -> None:
        """Have bells told with the next trip."""
        if len(self._waiting) < _WAITING_AT_MOST:
            self._waiting.update(dict.fromkeys(bells))

    def drain(self) -> list[Command]:
        """What is to be told now: an entry for each shard in which something rang."""
        by_stream: defaultdict[str, list[str]] = defaultdict(list)
        for bell in self._waiting:
            by_stream[self._keys.shard(bell)].append(bell)
        self._waiting.clear()
        return [self._entry(stream, bells) for stream, bells in by_stream.items()]

    def rung(self, entry: dict[bytes, bytes]) -> list[str]:
        """The bells that another process told with an entry; none of our own, which were heard when they rang."""
        if entry.get(b"by") == self._process.encode():
            return []
        return entry.get(b"bells", b"").decode().split("\n")

    def _entry(self, stream: str, bells: list[str]) -> Command:
        fields = ("by", self._process, "bells", "\n".join(bells))
        return ("XADD", stream, "MAXLEN", "~", _KEPT_AT_MOST, "*", *fields)
