"""The queue of one process: bells and questions that never leave it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import structlog

from gateway.ports.queue import LONGEST_LETTER, AnswerOverdue, LetterTooLong, NobodyAnswers, QueueHealth

log = structlog.get_logger(__name__)


class EmbeddedEars:
    """See `gateway.ports.queue.Ears`."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Let whoever waits hear it."""
        self._rung.set()

    async def heard(self, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


@dataclass(eq=False, slots=True)
class _Server:
    answer: Callable[[bytes], Awaitable[bytes]]
    under_way: set[asyncio.Task[bytes]] = field(default_factory=set)


class EmbeddedQueue:
    """See `gateway.ports.queue.Queue`. Bells may be rung from the loop's own thread only."""

    def __init__(self) -> None:
        self._ears: defaultdict[str, set[EmbeddedEars]] = defaultdict(set)
        self._servers: dict[str, _Server] = {}

    def ring(self, *bells: str) -> None:
        for bell in bells:
            for ears in self._ears.get(bell, ()):
                ears.ring()

    @contextmanager
    def listen(self, *bells: str) -> Iterator[EmbeddedEars]:
        ears = EmbeddedEars()
        for bell in bells:
            self._ears[bell].add(ears)
        try:
            yield ears
        finally:
            for bell in bells:
                self._ears[bell].discard(ears)
                if not self._ears[bell]:
                    del self._ears[bell]

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        if len(question) > LONGEST_LETTER:
            raise LetterTooLong
        server = self._servers.get(name)
        if server is None:
            raise NobodyAnswers
        answering = asyncio.ensure_future(_answer(server, question))
        server.under_way.add(answering)
        answering.add_done_callback(server.under_way.discard)
        await asyncio.wait([answering], timeout=timeout)
        if not answering.done() or answering.cancelled():
            raise AnswerOverdue
        answer = answering.result()
        if len(answer) > LONGEST_LETTER:
            log.error("An answer is too long to be told.", bytes=len(answer))
            raise AnswerOverdue
        return answer

    @asynccontextmanager
    async def serve(self, name: str, answer: Callable[[bytes], Awaitable[bytes]]) -> AsyncIterator[None]:
        server = _Server(answer)
        self._servers[name] = server
        try:
            yield
        finally:
            if self._servers.get(name) is server:
                del self._servers[name]
            for task in list(server.under_way):
                task.cancel()
            await asyncio.gather(*server.under_way, return_exceptions=True)

    def health(self) -> QueueHealth:
        return QueueHealth(serving=True)


async def _answer(server: _Server, question: bytes) -> bytes:
    return await server.answer(question)
