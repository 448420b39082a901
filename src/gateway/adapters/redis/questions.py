"""Questions and answers between processes: letters in the streams of their inboxes."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from typing import Final
from uuid import uuid4

import structlog

from gateway.adapters.redis.keys import Keys
from gateway.adapters.redis.reader import Fields
from gateway.adapters.redis.scripts import ASK
from gateway.adapters.redis.wire import NotDone, Unanswered, Wire
from gateway.ports.queue import LONGEST_LETTER, AnswerOverdue, LetterTooLong, NobodyAnswers, Queue

_INBOX_KEEPS: Final = 1000
_INBOX_MILLISECONDS: Final = 120_000
_TELL_AGAIN_SECONDS: Final = 0.3
_TOO_LATE_SECONDS: Final = 30.0
"""So long after its deadline a question is not answered any more: clocks differ, but not by that much."""
_DOUBT_SECONDS: Final = 3.0
"""After Redis forgot everything, all who serve have told it again within this."""

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    NOBODY = "nobody"
    OVERDUE = "overdue"


class NotHandedOver(Exception):
    """The question surely reached nobody, which says nothing about whether somebody serves the name."""


class Questions:
    """Asks other processes, and answers them with what is served in this one. Run `run` while it is used."""

    def __init__(self, keys: Keys, process: str, wire: Wire, local: Queue) -> None:
        self._keys = keys
        self._process = process
        self._wire = wire
        self._local = local
        self._asked: dict[str, asyncio.Future[bytes]] = {}
        self._letters: asyncio.Queue[Fields] = asyncio.Queue()
        self._doubt_until = 0.0

    def doubt(self) -> None:
        """Redis forgot everything: who serves has to tell it again before it can say that nobody does."""
        self._doubt_until = asyncio.get_running_loop().time() + _DOUBT_SECONDS

    async def ask(self, name: str, question: bytes, *, timeout: float) -> bytes:
        """See `gateway.ports.queue.Queue.ask`.

        Raises:
            NotHandedOver: Redis is away, or does not know whom to ask.
        """
        if len(question) > LONGEST_LETTER:
            raise LetterTooLong
        question_id = uuid4().hex
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[question_id] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._hand_over(question_id, name, question, timeout)
                return await answer
        except TimeoutError:
            raise AnswerOverdue from None
        finally:
            del self._asked[question_id]

    async def _hand_over(self, question_id: str, name: str, question: bytes, timeout: float) -> None:
        keys, until = self._keys, time.time() + timeout
        names = (keys.server(name), keys.presence(self._process))
        begins = (keys.presence(""), keys.inbox(""), _INBOX_KEEPS, _INBOX_MILLISECONDS)
        fields = ("question", question_id, "by", self._process, "name", name, "until", str(until), "body", question)
        try:
            told = await self._wire.tell(("EVAL", ASK, len(names), *names, *begins, *fields))
        except NotDone as error:
            raise NotHandedOver from error
        except Unanswered:
            return
        doubtful = asyncio.get_running_loop().time() < self._doubt_until
        if told == b"unsure" or (told == b"nobody" and doubtful):
            raise NotHandedOver
        if told == b"nobody":
            raise NobodyAnswers

    def take(self, letter: Fields) -> None:
        """A letter came: an answer to somebody who waits here, or a question."""
        if b"question" in letter:
            self._letters.put_nowait(letter)
            return
        answer = self._asked.get(letter[b"answer"].decode())
        if answer is None or answer.done():
            return
        match letter[b"outcome"].decode():
            case Outcome.ANSWERED:
                answer.set_result(letter[b"body"])
            case Outcome.NOBODY:
                answer.set_exception(NobodyAnswers())
            case _:
                answer.set_exception(AnswerOverdue())

    async def run(self) -> None:
        """Answer what others ask, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                letter = await self._letters.get()
                group.create_task(self._answer(letter))

    async def _answer(self, letter: Fields) -> None:
        left = float(letter[b"until"]) - time.time()
        if left < -_TOO_LATE_SECONDS:
            return
        body, outcome = b"", Outcome.ANSWERED
        seconds = max(left, 0) + _TOO_LATE_SECONDS
        try:
            body = await self._local.ask(letter[b"name"].decode(), letter[b"body"], timeout=seconds)
        except NobodyAnswers:
            outcome = Outcome.NOBODY
        except AnswerOverdue:
            outcome = Outcome.OVERDUE
        except Exception:
            log.exception("A question was not answered.")
            outcome = Outcome.OVERDUE
        await self._reply(letter, outcome, body, asyncio.get_running_loop().time() + seconds)

    async def _reply(self, letter: Fields, outcome: Outcome, body: bytes, deadline: float) -> None:
        """Tell the answer, again and again if need be, for as long as somebody may wait for it."""
        inbox = self._keys.inbox(letter[b"by"].decode())
        fields = ("answer", letter[b"question"], "outcome", outcome.value, "body", body)
        while asyncio.get_running_loop().time() < deadline:
            try:
                await self._wire.tell(("XADD", inbox, "MAXLEN", "~", _INBOX_KEEPS, "*", *fields))
            except (NotDone, Unanswered):
                await asyncio.sleep(_TELL_AGAIN_SECONDS)
            else:
                self._wire.put(("PEXPIRE", inbox, _INBOX_MILLISECONDS))
                return
