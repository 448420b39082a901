"""Streams, read in the background, and waited on with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar, cast

from grpc import aio

T = TypeVar("T")
R = TypeVar("R")

SOON: Final = 10.0
"""Seconds within which what must happen has happened."""


class Watch(Generic[T]):
    """What a stream tells. `seen` is all of it so far; the calls below go through it in order, each from where the one
    before stopped.
    """

    def __init__(self) -> None:
        self.seen: list[T] = []
        self.ended = False
        self.error: aio.AioRpcError | None = None
        self._place = 0
        self._changed = asyncio.Condition()

    async def until(self, predicate: Callable[[T], bool], *, within: float = SOON) -> T:
        """The next thing of which something is true."""
        try:
            async with asyncio.timeout(within):
                async for thing in self._onwards():
                    if predicate(thing):
                        return thing
        except TimeoutError:
            pass
        raise AssertionError(f"it did not come within {within} s; what came is\n{self._account()}")

    async def next(self, *, within: float = SOON) -> T:
        """The next thing, whatever it is."""
        return await self.until(lambda _: True, within=within)

    async def end(self, *, within: float = SOON) -> list[T]:
        """Wait until the stream ends, and tell all that it told. Its error, if it ended with one, is raised."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: self.ended)
        if self.error is not None:
            raise self.error
        return self.seen

    async def silent(self, predicate: Callable[[T], bool], *, during: float) -> None:
        """See that nothing of which this is true comes for so many seconds."""
        place = self._place
        try:
            thing = await self.until(predicate, within=during)
        except AssertionError:
            self._place = place
            return
        raise AssertionError(f"it came too early:\n{thing}")

    async def _onwards(self) -> AsyncIterator[T]:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._place < len(self.seen) or self.ended)
            if self._place == len(self.seen):
                raise AssertionError(f"the stream ended ({self.error}) after\n{self._account()}")
            self._place += 1
            yield self.seen[self._place - 1]

    def _account(self) -> str:
        return "\n".join(str(thing).replace("\n", " ") for thing in self.seen[-30:])

    async def read(self, stream: aio.UnaryStreamCall[Any, R], what: Callable[[R], T | None]) -> None:
        """Read a stream to its end."""
        try:
            while (frame := await stream.read()) is not aio.EOF:
                if (thing := what(cast(R, frame))) is not None:
                    await self.tell(thing)
        except aio.AioRpcError as error:
            self.error = error
        finally:
            await self.close()

    async def tell(self, thing: T) -> None:
        """Let it see one thing more."""
        async with self._changed:
            self.seen.append(thing)
            self._changed.notify_all()

    async def close(self) -> None:
        """Let it know that nothing comes any more."""
        async with self._changed:
            self.ended = True
            self._changed.notify_all()


@asynccontextmanager
async def watching(stream: aio.UnaryStreamCall[Any, R], what: Callable[[R], T | None]) -> AsyncIterator[Watch[T]]:
    """Watch what a stream's frames hold, while the context lasts; frames that hold None are left out."""
    watch: Watch[T] = Watch()
    reading = asyncio.create_task(watch.read(stream, what))
    try:
        yield watch
    finally:
        stream.cancel()
        reading.cancel()
        await asyncio.wait([reading])
