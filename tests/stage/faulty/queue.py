"""A queue that fails when it is told to: bells are heard by nobody or twice, questions and answers are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from gateway.ports.queue import AnswerOverdue, Ears, Queue, QueueHealth
from tests.stage.faulty.plan import Fault, Plan


class FaultyQueue:
    """See `gateway.ports.queue.Queue`. Bells of `lost` are heard by nobody and those of `doubled` twice, by what they
    begin with; questions go wrong as `plan` says of `ask`, and their answers are `delay` seconds on the way.
    """

    def __init__(self, queue: Queue) -> None:
        self.plan = Plan()
        self.lost: tuple[str, ...] = ()
        self.doubled: tuple[str, ...] = ()
        self.delay = 0.0
        self._queue = queue

    def ring(self, *bells: str) -> None:
        self._queue.ring(*bells)

    @contextmanager
    def listen(self, *bells: str) -> Iterator[Ears]:
        with self._queue.listen(*(bell for bell in bells if not bell.startswith(self.lost))) as ears:
            yield Echo(ears) if any(bell.startswith(self.doubled) for bell in bells) else ears

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        fault = self.plan.next("ask")
        if fault is Fault.NOT_DONE:
            raise AnswerOverdue
        answer = await self._queue.ask(name, question, timeout=timeout)
        await asyncio.sleep(self.delay)
        if fault is Fault.ANSWER_LOST:
            raise AnswerOverdue
        return answer

    def serve(self, name: str, answer: Callable[[bytes], Awaitable[bytes]]) -> AbstractAsyncContextManager[None]:
        return self._queue.serve(name, answer)

    def health(self) -> QueueHealth:
        return self._queue.health()


class Echo:
    """See `gateway.ports.queue.Ears`. Whatever is heard is heard again at once."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._echoes = False

    async def heard(self, timeout: float) -> bool:
        if self._echoes:
            self._echoes = False
            return True
        self._echoes = await self._ears.heard(timeout)
        return self._echoes
