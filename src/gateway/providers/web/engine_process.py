"""The engine's process: started as our child, dead with us, its end noticed at once."""

from __future__ import annotations

import asyncio
import os
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, Final

import structlog

from gateway.providers.web.engine_log import LONGEST_LINE, EngineLog
from gateway.providers.web.failures import EngineFailed
from gateway.providers.web.options import EngineOptions

_log = structlog.get_logger(__name__)

_PATIENCE: Final = 5.0
"""Seconds that an engine has to end by itself."""


class EngineProcess:
    """One run of the engine."""

    def __init__(self, process: Popen[bytes], ended: asyncio.Event, words: StreamReader) -> None:
        self._process = process
        self._ended = ended
        self._words = words
        self._log = EngineLog()

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid

    async def watch(self) -> None:
        """Hand on its log, and raise EngineFailed as soon as it ends."""
        await self._log.hand_on(self._words)
        await self._ended.wait()
        last_words = f": {self._log.last_words}" if self._log.last_words else ""
        raise EngineFailed(f"the engine ended with exit status {self._process.wait()}{last_words}")

    async def end(self) -> None:
        """Ask it to end, and insist after 5 s."""
        if not self._ended.is_set():
            self._process.terminate()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._ended.wait()
        except TimeoutError:
            _log.warning("The engine did not end in time and is killed", process_id=self.process_id)
        finally:
            if not self._ended.is_set():
                self._process.kill()
        await self._ended.wait()
        self._process.wait()


@asynccontextmanager
async def engine_process(options: EngineOptions, socket: Path) -> AsyncIterator[EngineProcess]:
    """Run an engine that serves this socket, while the context lasts.

    It sees that we are gone by its stdin, which nobody writes to. It is in a session of its own, so that Ctrl-C reaches
    us alone and lines are closed in order.
    """
    with _started([str(options.program), *options.arguments(socket)]) as process:
        async with _end_of(process) as ended, _words_of(process.stderr) as words:
            running = EngineProcess(process, ended, words)
            try:
                yield running
            finally:
                await running.end()


def _started(command: list[str]) -> Popen[bytes]:
    """Start a program by vfork, as `subprocess` does and event loops do not: gRPC does not survive a fork."""
    try:
        return Popen(  # noqa: S603 (what is run is the operator's own setting)
            command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, env=_environment(), start_new_session=True
        )
    except OSError as error:
        raise EngineFailed(f"the engine could not be started: {error}") from error


@asynccontextmanager
async def _end_of(process: Popen[bytes]) -> AsyncIterator[asyncio.Event]:
    """An event that is set as soon as a process has ended."""
    ended = asyncio.Event()
    loop, watched = asyncio.get_running_loop(), os.pidfd_open(process.pid)

    def note() -> None:
        loop.remove_reader(watched)
        ended.set()

    loop.add_reader(watched, note)
    try:
        yield ended
    finally:
        loop.remove_reader(watched)
        os.close(watched)


@asynccontextmanager
async def _words_of(pipe: IO[bytes] | None) -> AsyncIterator[StreamReader]:
    """What a process writes, as a stream."""
    words = StreamReader(limit=LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(words), pipe)
    try:
        yield words
    finally:
        transport.close()


def _environment() -> dict[str, str]:
    """Our environment without our own settings, since keys are among them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAGATE_")}
