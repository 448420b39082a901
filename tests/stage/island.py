"""A network of the tests' own that has loopback and nothing else: nobody on it can reach what is not on it too.

It needs no privilege where users may make namespaces of their own, and root elsewhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.stage.children import child

_LOOPBACK_UP: Final = """
import fcntl, socket, struct, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
print("up", flush=True)
sys.stdin.read()
"""


class Island:
    """A network for those processes alone whose command begins with `entering`. Sockets in folders are still shared."""

    def __init__(self, keeper: int) -> None:
        self.entering = ("nsenter", *_as_ourselves("--user", "--preserve-credentials"), "--net", f"--target={keeper}")
        self._numbers = Path(f"/proc/{keeper}/net")

    def attempts_to_leave(self) -> int:
        """How often anybody wanted to reach an address that is not here, by TCP or UDP."""
        names, values = (line.split() for line in self._lines("snmp", "Ip:"))
        (six,) = (line.split() for line in self._lines("snmp6", "Ip6OutNoRoutes"))
        return int(values[names.index("OutNoRoutes")]) + int(six[1])

    def _lines(self, file: str, beginning: str) -> list[str]:
        lines = (self._numbers / file).read_text().splitlines()
        return [line for line in lines if line.startswith(beginning)]


@asynccontextmanager
async def island(log: Path) -> AsyncIterator[Island]:
    """Have such a network while the context lasts."""
    unshare = ("unshare", *_as_ourselves("--user", "--map-root-user"), "--net")
    async with child(*unshare, sys.executable, "-c", _LOOPBACK_UP, log=log) as keeper:
        assert await keeper.said() == b"up\n"
        yield Island(keeper.process_id)


def _as_ourselves(*options: str) -> tuple[str, ...]:
    """Options that only those need who are not root."""
    return () if os.geteuid() == 0 else options
