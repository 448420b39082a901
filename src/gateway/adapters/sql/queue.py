"""The queue of many processes over the database alone: each looks by itself, again and again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from gateway.adapters.sql.questions import Answered, Stage, Taken
from gateway.adapters.sql.store import SqlStore
from gateway.domain.errors import StoreUnavailable
from gateway.domain.ids import QUESTION, make_id
from gateway.ports.queue import (
    LONGEST_LETTER,
    OUTBOX_BELLS,
    WISH_BELLS,
    AnswerOverdue,
    Ears,
    LetterTooLong,
    NobodyAnswers,
    Queue,
    QueueHealth,
)

LOOK_AT_BELLS_SECONDS: Final = 1.0
_LOOK_AT_LETTERS_SECONDS: Final = 0.25
_LOOK_SOON_SECONDS: Final = 0.05
_BUSY_SECONDS: Final = 1.0
_KEEP_SECONDS: Final = 60.0
_TAKEN_WITHIN_SECONDS: Final = 5.0
"""Who serves a name looks much more often; so a question that was not taken by then has reached nobody."""
_LATE_SECONDS: Final = 120.0

log = structlog.get_logger(__name__)


class SqlQueue:
    """See `gateway.ports.queue.Queue`.

    `local` is the queue of this process. What rings in others is heard there by looking: at outboxes and wishes of the
    sessions that somebody listens for, all in one question every `look_every` seconds. The log and the fleet are looked
    at by who listens to them.
    """

    def __init__(
        self, store: SqlStore, process_id: str, *, local: Queue, look_every: float = LOOK_AT_BELLS_SECONDS
    ) -> None:
        self._store = store
        self._process_id = process_id
        self._local = local
        self._look_every = look_every
        self._heard_here: Counter[str] = Counter()
        self._wishes: dict[str, tuple[object, ...]] = {}
        self._served: Counter[str] = Counter()
        self._asked: dict[str, asyncio.Future[bytes]] = {}
        self._busy_until = 0.0

    def ring(self, *bells: str) -> None:
        self._local.ring(*bells)

    @contextmanager
    def listen(self, *bells: str) -> Iterator[Ears]:
        self._heard_here.update(bells)
        try:
            with self._local.listen(*bells) as ears:
                yield ears
        finally:
            self._heard_here.subtract(bells)
            for bell in bells:
                if not self._heard_here[bell]:
                    del self._heard_here[bell]

    def health(self) -> QueueHealth:
        return QueueHealth(serving=True)

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        if len(question) > LONGEST_LETTER:
            raise LetterTooLong
        question_id, within = make_id(QUESTION), timedelta(seconds=timeout)
        if not await self._store.write(lambda unit: unit.sql_questions.ask(question_id, name, question, within)):
            raise NobodyAnswers
        answer = self._asked[question_id] = asyncio.get_running_loop().create_future()
        try:
            return await self._answer_to(question_id, answer, timeout)
        finally:
            del self._asked[question_id]

    async def _answer_to(self, question_id: str, answer: asyncio.Future[bytes], timeout: float) -> bytes:
        soon = min(timeout, _TAKEN_WITHIN_SECONDS)
        await asyncio.wait([answer], timeout=soon)
        if not answer.done() and await self._store.write(lambda unit: unit.sql_questions.take_back(question_id)):
            raise NobodyAnswers
        await asyncio.wait([answer], timeout=timeout - soon)
        if not answer.done():
            raise AnswerOverdue
        return answer.result()

    @asynccontextmanager
    async def serve(self, name: str, answer: Callable[[bytes], Awaitable[bytes]]) -> AsyncIterator[None]:
        self._served[name] += 1
        try:
            async with self._local.serve(name, answer):
                with suppress(StoreUnavailable):  # it is noted with the next round
                    await self._store.write(lambda unit: unit.sql_questions.serve(name, self._process_id))
                yield
        finally:
            self._served[name] -= 1
            if not self._served[name]:
                del self._served[name]
                with suppress(StoreUnavailable):  # a question that still comes is told that nobody serves here
                    await self._store.write(lambda unit: unit.sql_questions.leave(name, self._process_id))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look while the context lasts."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            looking = [
                group.create_task(self._read_letters(), name="queue letters"),
                group.create_task(_again_and_again(self._look_at_bells, lambda: self._look_every), name="queue bells"),
                group.create_task(_again_and_again(self.keep, lambda: _KEEP_SECONDS), name="queue names"),
            ]
            try:
                yield
            except Exception as error:  # noqa: BLE001  # raised below as it is, not as one of a group
                failure = error
            finally:
                for task in looking:
                    task.cancel()
        if failure is not None:
            raise failure

    async def _look_at_bells(self) -> None:
        outboxes = [bell.removeprefix(OUTBOX_BELLS) for bell in self._heard_here if bell.startswith(OUTBOX_BELLS)]
        wished = [bell.removeprefix(WISH_BELLS) for bell in self._heard_here if bell.startswith(WISH_BELLS)]
        if outboxes:
            for uid in await self._store.read(lambda unit: unit.sql_due.outboxes(outboxes)):
                self._local.ring(OUTBOX_BELLS + uid)
        if wished:
            wishes = await self._store.read(lambda unit: unit.sql_due.wishes(wished))
            for uid, wish in wishes.items():
                if self._wishes.get(uid) != wish:  # also at the first look: it may have changed since somebody listens
                    self._local.ring(WISH_BELLS + uid)
            self._wishes = wishes

    async def _read_letters(self) -> None:
        async with asyncio.TaskGroup() as answering:
            await _again_and_again(partial(self._look_at_letters, answering), self._until_letters)

    def _until_letters(self) -> float:
        """Who asks, or was asked a moment ago, looks more often than who may be asked."""
        busy = self._asked or asyncio.get_running_loop().time() < self._busy_until
        return _LOOK_SOON_SECONDS if busy else _LOOK_AT_LETTERS_SECONDS

    async def _look_at_letters(self, answering: asyncio.TaskGroup) -> None:
        if not self._served and not self._asked:
            return
        mine = list(self._asked)
        is_asked, answered = await self._store.read(lambda unit: unit.sql_questions.look(self._process_id, mine))
        for one in answered:
            _settle(self._asked.get(one.question_id), one)
        if is_asked:
            self._busy_until = asyncio.get_running_loop().time() + _BUSY_SECONDS
            taken = await self._store.write(lambda unit: unit.sql_questions.take(self._process_id))
            for question in taken:
                answering.create_task(self._answer(question))

    async def _answer(self, question: Taken) -> None:
        answer, stage = b"", Stage.ANSWERED
        try:
            answer = await self._local.ask(question.name, question.body, timeout=_LATE_SECONDS)
        except NobodyAnswers:
            stage = Stage.NOBODY
        except AnswerOverdue:
            stage = Stage.OVERDUE
        except Exception:
            log.exception("A question was not answered.")
            stage = Stage.OVERDUE
        answered = Answered(question.question_id, stage, answer)
        with suppress(StoreUnavailable):  # the asker is told that the outcome is open
            await self._store.write(lambda unit: unit.sql_questions.answer(answered))

    async def keep(self) -> None:
        """Tell that names are still served, and forget what is old."""
        names = list(self._served)
        await self._store.write(lambda unit: unit.sql_questions.keep(names, self._process_id))


async def _again_and_again(look: Callable[[], Awaitable[None]], pause: Callable[[], float]) -> None:
    """Look every so many seconds, also while the database does not answer."""
    while True:
        try:
            await look()
        except StoreUnavailable:
            log.debug("The queue waits for the database.")
        await asyncio.sleep(pause())


def _settle(waiting: asyncio.Future[bytes] | None, answered: Answered) -> None:
    """Tell what became of a question to who waits for it."""
    if waiting is None or waiting.done():
        return
    match answered.stage:
        case Stage.ANSWERED:
            waiting.set_result(answered.answer)
        case Stage.NOBODY:
            waiting.set_exception(NobodyAnswers())
        case _:
            waiting.set_exception(AnswerOverdue())
