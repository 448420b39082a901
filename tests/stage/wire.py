"""The wire to a PostgreSQL, where a test can cut it: a socket of its own, through which all goes to the server's."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SOCKET: Final = ".s.PGSQL.5432"
_AT_ONCE: Final = 1 << 16


@dataclass
class Wire:
    """Where it goes through, and when it is to be cut."""

    folder: Path
    cut_behind: bytes = b""
    """Once somebody asks the server for something with these words, the server gets it and does it, and its answer is
    lost with the connection; once.
    """
    cuts: int = 0

    def url_over(self, url: str) -> str:
        """The URL of a database over this wire."""
        return f"{url.partition('?')[0]}?host={self.folder}"


@asynccontextmanager
async def wire(server: Path, folder: Path) -> AsyncIterator[Wire]:
    """Listen in a folder for what goes to the server whose socket lies in another, while the context lasts."""
    it = Wire(folder)

    async def carry(asking: StreamReader, answering: StreamWriter) -> None:
        answers, questions = await asyncio.open_unix_connection(str(server / _SOCKET))
        lost = asyncio.Event()

        async def ask() -> None:
            while some := await asking.read(_AT_ONCE):
                if it.cut_behind and it.cut_behind in some:
                    it.cut_behind, it.cuts = b"", it.cuts + 1
                    lost.set()
                questions.write(some)
            questions.close()

        async def answer() -> None:
            while some := await answers.read(_AT_ONCE):
                if lost.is_set():
                    break
                answering.write(some)
            answering.close()
            questions.close()

        with suppress(OSError):
            await asyncio.gather(ask(), answer())

    listening = await asyncio.start_unix_server(carry, str(folder / _SOCKET))
    try:
        yield it
    finally:
        listening.close()
