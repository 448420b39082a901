"""One process of several: spawned, never forked, since gRPC does not survive a fork."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

import structlog

from gateway.processes.pulse import Alive

_log = structlog.get_logger(__name__)

_SPAWN: Final = multiprocessing.get_context("spawn")
_LOOKS: Final = 10
"""So many looks in a row at which nothing was heard make a silence."""

STARTS_WITHIN: Final = 60.0
"""Seconds within which a process serves, or never will."""


class SiblingEnded(Exception):
    """A process has ended; the sentence says why, as far as it said so itself."""


class SiblingHung(SiblingEnded):
    """A process said nothing for so long that it was killed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a process says once it serves: where it is called, and where its numbers are."""

    address: str
    metrics_address: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What a process says that cannot serve: why, in a sentence."""

    sentence: str


Task = Callable[..., None]
"""What a process does: it is given a connection to say Ready or Refused on, then its arguments. It can be pickled. It
serves until SIGTERM, or until its parent is gone, and says meanwhile that it is alive (`gateway.processes.pulse`).
"""


class Sibling:
    """A process of ours that runs, or has ended."""

    def __init__(self, process: BaseProcess, words: Connection) -> None:
        self._process = process
        self._words = words

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    async def ready(self) -> Ready:
        """Wait until it serves.

        Raises:
            SiblingEnded: it never will.
        """
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                said = await self._next_but_alive()
        except TimeoutError:
            raise await self._killed(f"It did not serve within {STARTS_WITHIN:g} s.") from None
        if isinstance(said, Ready):
            return said
        await self.ended()
        raise SiblingEnded(said.sentence if isinstance(said, Refused) else self._end())

    async def run(self, hangs_after: float) -> None:
        """Wait until it ends, which it was not asked to, or has said nothing for so many seconds, and is killed. They
        pass by our own looks, so that it is not blamed for a pause in which we could not listen either.

        Raises:
            SiblingEnded: always.
        """
        look, silent = hangs_after / _LOOKS, 0
        while silent < _LOOKS:
            with suppress(TimeoutError):
                async with asyncio.timeout(look):
                    await self.ended()
                raise SiblingEnded(self._end())
            silent = 0 if self._is_heard() else silent + 1
        raise await self._killed(f"It hung: it said nothing for {hangs_after:g} s.")

    async def ended(self) -> None:
        """Wait until it has ended."""
        await _readable(self._process.sentinel)
        self._process.join()

    async def stop(self, patience: float) -> None:
        """Ask it to end, and insist after so many seconds."""
        self._process.terminate()
        try:
            async with asyncio.timeout(patience):
                await self.ended()
        except TimeoutError:
            _log.warning("A process did not end in time and is killed", process_id=self.process_id)
        finally:
            if self._process.exitcode is None:
                self._process.kill()
                await self.ended()

    async def _killed(self, why: str) -> SiblingHung:
        self._process.kill()
        await self.ended()
        return SiblingHung(why)

    async def _next_but_alive(self) -> object:
        """Wait until it says anything else than that it is alive, or will say nothing any more."""
        while True:
            await _readable(self._words.fileno())
            if not isinstance(said := self._said(), Alive):
                return said

    def _is_heard(self) -> bool:
        """Whether it said something since it was last listened to."""
        heard = False
        while self._words.poll() and self._said() is not None:
            heard = True
        return heard

    def _said(self) -> object:
        """The next thing that it said, or nothing if it says nothing any more."""
        try:
            return self._words.recv()
        except (EOFError, ConnectionResetError):
            return None

    def _end(self) -> str:
        return f"It ended with exit status {self._process.exitcode}."


@asynccontextmanager
async def sibling(task: Task, arguments: tuple[Any, ...], patience: float) -> AsyncIterator[Sibling]:
    """Run a process while the context lasts; it has `patience` seconds to end when it is asked to."""
    words, say = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=task, args=(say, *arguments), daemon=True)
    with words:
        with say:
            process.start()
        started = Sibling(process, words)
        try:
            yield started
        finally:
            await started.stop(patience)


async def _readable(descriptor: int) -> None:
    """Wait until something can be read, or the other end is gone."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
