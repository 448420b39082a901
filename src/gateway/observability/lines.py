"""Where log lines go: one write for all lines of a turn of the event loop."""

from __future__ import annotations

import asyncio
import os


class Lines:
    """A structlog logger that takes finished lines, and writes them to a file descriptor. Lines of one turn of the loop
    leave in one write; outside a loop each leaves at once. A reader that went away is no error.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: list[bytes] = []

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
        block = memoryview(b"\n".join([*self._waiting, b""]))
        self._waiting.clear()
        try:
            while block:
                block = block[os.write(self._descriptor, block) :]
        except BrokenPipeError:
            return
