"""Asking a session's owner: the caller waits until WhatsApp has answered, or is told that the outcome is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from google.protobuf.message import Message as Proto

from gateway.domain.access import Call
from gateway.domain.errors import (
    OutcomeOpen,
    OwnerUnavailable,
    SessionNotConnected,
    ShuttingDown,
    StoreUnavailable,
    error_of,
)
from gateway.domain.requests import RequestKey, RequestRecord
from gateway.domain.sessions import Session, State
from gateway.ports.queue import AnswerOverdue, NobodyAnswers, Queue, owner_name
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.repeats import Repeat
from wagate.worker.v1 import owner_pb2

_TRY_AGAIN: Final = timedelta(seconds=1)
_ASK_AGAIN_SECONDS: Final = 0.1
_LOOK_EVERY_SECONDS: Final = 1.0
_OWNER_LOST: Final = "The session's worker was lost while it was asked."
_PATIENCE_SECONDS: Final = 60.0
_EARLY_AT_MOST_SECONDS: Final = 0.05
"""Timers ring a millisecond early now and then: who hears that late an answer is overdue has waited to the end."""
_LONGEST_ANSWER_SECONDS: Final = 90.0
TELL_BEFORE_DEADLINE_SECONDS: Final = 0.2
"""A call is answered this long before its deadline, so that its caller learns that the outcome is open."""

AnswerT = TypeVar("AnswerT", bound=Proto)


class Owners:
    """Asks owners, over the queue."""

    def __init__(self, store: Store, queue: Queue, *, look_every: float = _LOOK_EVERY_SECONDS) -> None:
        self._store = store
        self._queue = queue
        self._look_every = look_every

    async def ask(
        self,
        call: Call,
        session: Session,
        question: owner_pb2.OwnerRequest,
        *,
        patience: float = 0.0,
        repeatable: bool = False,
    ) -> owner_pb2.OwnerReply:
        """Ask a session's owner; wait `patience` seconds for one to appear. What is `repeatable` is asked of the next,
        too, where the first was lost meanwhile: it may just have ended, as nothing had been wanted of the session.

        Raises:
            OwnerUnavailable: nobody owns the session, or its owner was lost while it was asked.
            OutcomeOpen: the question was asked, and the call's deadline came first.
            GatewayError: the owner said no.
        """
        question.session_uid = session.uid
        question.correlation_id = call.correlation_id
        loop = asyncio.get_running_loop()
        give_up = min(loop.time() + patience, call.deadline)
        while True:
            try:
                reply = owner_pb2.OwnerReply.FromString(await self._asked(call, session, question))
            except NobodyAnswers:
                missing = OwnerUnavailable(retry_after=_TRY_AGAIN, session_id=session.session_id)
            except OwnerUnavailable as lost:
                if not repeatable:
                    raise
                missing = lost
            else:
                if reply.WhichOneof("outcome") == "failed":
                    raise error_of(reply.failed)
                return reply
            if loop.time() >= give_up:
                raise missing from None
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _asked(self, call: Call, session: Session, question: owner_pb2.OwnerRequest) -> bytes:
        """Hand the question over, and wait for the answer as long as the owner lives that has it."""
        seconds = min(_seconds_left(call), _LONGEST_ANSWER_SECONDS)
        ends = asyncio.get_running_loop().time() + seconds
        name, raw = owner_name(session.uid), question.SerializeToString()
        asking = asyncio.ensure_future(self._queue.ask(name, raw, timeout=seconds))
        losing = asyncio.ensure_future(self._owner_lost(session.uid))
        try:
            await asyncio.wait({asking, losing}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            losing.result()
        except AnswerOverdue:
            if asyncio.get_running_loop().time() >= ends - _EARLY_AT_MOST_SECONDS:
                raise OutcomeOpen(session_id=session.session_id) from None
        finally:
            asking.cancel()
            losing.cancel()
            await asyncio.wait({asking, losing})
        raise OwnerUnavailable(_OWNER_LOST, retry_after=_TRY_AGAIN, session_id=session.session_id)

    async def _owner_lost(self, session_uid: str) -> None:
        """Wait until the session's lease is held by another, or by nobody."""
        first = 0
        while True:
            await asyncio.sleep(self._look_every)
            try:
                holder = await self._store.read(lambda uow: uow.fences.holder(session_uid))
            except StoreUnavailable:
                continue
            if first and holder != first:
                return
            first = holder


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer's bytes, and whether an earlier call had them already."""

    raw: bytes
    known: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """What is being asked: under which id, and the answer to come."""

    record: RequestRecord
    answer: asyncio.Future[_Answer]
    task: asyncio.Task[None]


class LiveRequests:
    """Remembers what was asked of WhatsApp under a request_id: a repeat gets the same answer, or waits for it.

    The question outlives its caller: an answer that comes after the deadline is kept for the repeat. Run `run` while
    questions are asked.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under_way: dict[RequestKey, _Question] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Own the questions under way until `stopping`; then end those that are left."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await stopping.wait()
            self._group = None
            for question in self._under_way.values():
                question.task.cancel()

    async def once(
        self, call: Call, repeat: Repeat, answer_type: type[AnswerT], ask: Callable[[Call], Awaitable[AnswerT]]
    ) -> tuple[AnswerT, bool]:
        """Ask once per request_id; tell the answer, and whether an earlier call asked.

        Raises:
            RequestIdReused: the id stands for another body.
            OutcomeOpen: the deadline came first.
        """
        if repeat.key is None:
            return await ask(call), False
        under_way = self._under_way.get(repeat.key)
        if under_way is not None:
            repeat.check_same(under_way.record)
        question = under_way or self._begin(repeat, repeat.key, lambda: ask(_patient(call)))
        answer = await self._wait(call, question)
        return answer_type.FromString(answer.raw), answer.known or under_way is not None

    def _begin(self, repeat: Repeat, key: RequestKey, ask: Callable[[], Awaitable[Proto]]) -> _Question:
        if self._group is None:
            raise ShuttingDown
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        task = self._group.create_task(self._answer(repeat, ask, answer))
        question = self._under_way[key] = _Question(repeat.record(datetime.now(UTC)), answer, task)
        task.add_done_callback(lambda _: self._ended(key))
        return question

    def _ended(self, key: RequestKey) -> None:
        """A question is no longer under way: one that was cancelled, be it before it began, is answered by that."""
        answer = self._under_way.pop(key).answer
        if not answer.done():
            answer.set_exception(ShuttingDown())
        answer.exception()  # nobody may be waiting any more

    async def _answer(
        self, repeat: Repeat, ask: Callable[[], Awaitable[Proto]], answer: asyncio.Future[_Answer]
    ) -> None:
        """Answer one question; whatever goes wrong is its callers' to see, and nobody else's."""
        try:
            answer.set_result(await self._known(repeat) or await self._ask_and_remember(repeat, ask))
        except Exception as error:  # noqa: BLE001  # told to every caller that waits
            answer.set_exception(error)

    async def _known(self, repeat: Repeat) -> _Answer | None:
        async def work(uow: UnitOfWork) -> _Answer | None:
            record = await repeat.earlier(uow)
            return _Answer(record.answer, known=True) if record else None

        return await self._store.read(work)

    async def _ask_and_remember(self, repeat: Repeat, ask: Callable[[], Awaitable[Proto]]) -> _Answer:
        raw = (await ask()).SerializeToString()

        async def work(uow: UnitOfWork) -> None:
            await repeat.remember(uow, "", raw)

        await self._store.write(work)
        return _Answer(raw, known=False)

    @staticmethod
    async def _wait(call: Call, question: _Question) -> _Answer:
        try:
            return await asyncio.wait_for(asyncio.shield(question.answer), _seconds_left(call))
        except TimeoutError:
            raise OutcomeOpen from None


def _seconds_left(call: Call) -> float:
    """How long an answer can be waited for, so that its absence can still be told."""
    return max(call.deadline - asyncio.get_running_loop().time() - TELL_BEFORE_DEADLINE_SECONDS, 0)


def _patient(call: Call) -> Call:
    return replace(call, deadline=max(call.deadline, asyncio.get_running_loop().time() + _PATIENCE_SECONDS))


def check_connected(session: Session) -> None:
    """Refuse what needs WhatsApp now.

    Raises:
        SessionNotConnected: the session is not connected.
    """
    if session.state != State.STATE_CONNECTED:
        raise SessionNotConnected(session_id=session.session_id, state=State.Name(session.state))
