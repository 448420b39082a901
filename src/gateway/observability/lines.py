"""Where log lines go: one write for all lines of a turn of the event loop."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress


class Lines:
    """A structlog logger that takes finished lines, and writes them to a file descriptor. Lines of one turn of the loop
    leave in one write; outside a loop each leaves at once. What cannot be written is lost, as when the reader went away
    or the disk is full: that stops nobody.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self._torn = False  # whether the last line was written in part

    def msg(self, line: bytes | str) -> None:
        """Write a line, at the end of this turn of the loop."""
        self._waiting.append(line.encode() if isinstance(line, str) else line)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    debug = info = warning = error = critical = exception = msg

    def flush(self) -> None:
        """Write what waits."""
        block = b"\n".join([b""] * self._torn + [*self._waiting, b""])
        self._waiting.clear()
        written = 0
        with suppress(OSError):
            while written < len(block):
                written += os.write(self._descriptor, memoryview(block)[written:])
        if written:
            self._torn = not block[:written].endswith(b"\n")
