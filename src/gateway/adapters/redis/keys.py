"""The names of what lies in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of one installation begin with its prefix. Every process of it counts the same shards."""

    prefix: str
    shards: int

    def shard(self, bell: str) -> str:
        """The stream in which this bell rings."""
        return self._stream(crc32(bell.encode()) % self.shards)

    def streams(self) -> list[str]:
        """All streams in which bells ring."""
        return [self._stream(shard) for shard in range(self.shards)]

    def inbox(self, process: str) -> str:
        """The stream of questions and answers for one process."""
        return f"{self.prefix}:inbox:{process}"

    def presence(self, process: str) -> str:
        """Is there as long as the process is, and a few seconds more."""
        return f"{self.prefix}:presence:{process}"

    def server(self, name: str) -> str:
        """Says which process serves a name."""
        return f"{self.prefix}:server:{name}"

    def _stream(self, shard: int) -> str:
        return f"{self.prefix}:bells:{shard:02d}"
