"""Questions between processes in SQL, inside a unit: who serves a name, what is asked, and what was answered.

A question is addressed to the process that serves the name when it is asked. It is handed over when that process takes
it; until then the asker may take it back, and knows that it reached nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.adapters.sql.columns import TEXT, among, listed, moment, number, text
from gateway.adapters.sql.lookups import Question
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.tables import metadata
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros


class Stage(IntEnum):
    """How far a question got."""

    ASKED = 0
    TAKEN = 1
    ANSWERED = 2
    NOBODY = 3
    OVERDUE = 4


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that was handed over."""

    question_id: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a question."""

    question_id: str
    stage: Stage
    answer: bytes


servers: Final = Table(
    "question_servers",
    metadata,
    Column("name", TEXT, primary_key=True),
    text("process_id"),
    moment("seen_time"),
    Index("question_servers_of_process", "process_id"),
)
questions: Final = Table(
    "questions",
    metadata,
    Column("question_id", TEXT, primary_key=True),
    text("name"),
    text("process_id"),
    number("stage"),
    moment("end_time"),
    Column("body", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("questions_by_age", "end_time"),
)
_asked: Final = questions.c.stage == literal_column(str(Stage.ASKED.value))
Index("questions_asked", questions.c.process_id, sqlite_where=_asked, postgresql_where=_asked)

_fresh: Final = upsert(servers).values({column.name: bindparam("row_" + column.name) for column in servers.c})
_SERVE: Final = _fresh.on_conflict_do_update(
    index_elements=[servers.c.name],
    set_={"process_id": _fresh.excluded.process_id, "seen_time": _fresh.excluded.seen_time},
)
_SERVE_IF_FREE: Final = _fresh.on_conflict_do_nothing(index_elements=[servers.c.name])
_LEAVE: Final = delete(servers).where(servers.c.name == bindparam("name"), servers.c.process_id == bindparam("process"))
_SEEN: Final = (
    update(servers)
    .values(seen_time=bindparam("now"))
    .where(servers.c.process_id == bindparam("process"))
    .returning(servers.c.name)
)
_WHO: Final = select(servers.c.process_id).where(servers.c.name == bindparam("name"))
_ASK: Final = insert(questions).values({column.name: bindparam("row_" + column.name) for column in questions.c})
_IS_ASKED: Final = (
    select(questions.c.question_id).where(_asked, questions.c.process_id == bindparam("process")).limit(1)
)
_TAKE: Final = (
    update(questions)
    .values(stage=Stage.TAKEN.value)
    .where(_asked, questions.c.process_id == bindparam("process"))
    .returning(questions.c.question_id, questions.c.name, questions.c.body)
)
_TAKE_BACK: Final = (
    delete(questions).where(_asked, questions.c.question_id == bindparam("id")).returning(questions.c.question_id)
)
_ANSWER: Final = (
    update(questions)
    .values(stage=bindparam("outcome"), answer=bindparam("said"))
    .where(questions.c.question_id == bindparam("id"))
)
_ANSWERED: Final = select(questions.c.question_id, questions.c.stage, questions.c.answer).where(
    among(questions.c.question_id, "ids"), questions.c.stage > Stage.TAKEN.value
)
_FORGET: Final = delete(questions).where(questions.c.end_time < bindparam("before"))
_FORGET_SERVERS: Final = delete(servers).where(servers.c.seen_time < bindparam("before"))

_KEPT: Final = timedelta(minutes=1)
_SERVER_KEPT: Final = timedelta(minutes=10)


class SqlQuestions:
    """Questions, as one process asks and answers them."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def serve(self, name: str, process_id: str) -> None:
        """From now on this process answers under a name."""
        await self._change(Question(_SERVE, self._server(name, process_id)))

    async def leave(self, name: str, process_id: str) -> None:
        """This process does not, unless another one does by now."""
        await self._change(Question(_LEAVE, {"name": name, "process": process_id}))

    async def keep(self, names: Sequence[str], process_id: str) -> None:
        """This process still answers under these names, where no other took over; what is old is forgotten."""
        now = self._transaction.now
        seen = Question(_SEEN, {"now": to_micros(now), "process": process_id})
        old = Question(_FORGET, {"before": to_micros(now - _KEPT)})
        lost = Question(_FORGET_SERVERS, {"before": to_micros(now - _SERVER_KEPT)})
        known = {row["name"] for row in (await self._change(seen, old, lost))[0]}
        missing = [Question(_SERVE_IF_FREE, self._server(name, process_id)) for name in names if name not in known]
        await self._change(*missing)

    async def ask(self, question_id: str, name: str, body: bytes, timeout: timedelta) -> bool:
        """Put a question to whoever answers under a name; tell whether anybody does."""
        who = await self._transaction.connection.rows(_WHO, {"name": name})
        if not who:
            return False
        row = {
            "question_id": question_id,
            "name": name,
            "process_id": who[0]["process_id"],
            "stage": Stage.ASKED.value,
            "end_time": to_micros(self._transaction.now + timeout),
            "body": body,
            "answer": b"",
        }
        await self._change(Question(_ASK, row))
        return True

    async def take_back(self, question_id: str) -> bool:
        """Take a question back that nobody took; tell whether that is so."""
        (taken,) = await self._change(Question(_TAKE_BACK, {"id": question_id}))
        return bool(taken)

    async def look(self, process_id: str, question_ids: Sequence[str]) -> tuple[bool, list[Answered]]:
        """Whether something is asked of this process, and which of its questions were answered."""
        asked, answered = await self._transaction.connection.ask(
            [Question(_IS_ASKED, {"process": process_id}), Question(_ANSWERED, {"ids": listed(question_ids)})]
        )
        return bool(asked), [Answered(row["question_id"], Stage(row["stage"]), row["answer"]) for row in answered]

    async def take(self, process_id: str) -> list[Taken]:
        """Take what is asked of this process."""
        (taken,) = await self._change(Question(_TAKE, {"process": process_id}))
        return [Taken(**row) for row in taken]

    async def answer(self, answered: Answered) -> None:
        """Say what became of a question."""
        row = {"outcome": answered.stage.value, "said": answered.answer, "id": answered.question_id}
        await self._change(Question(_ANSWER, row))

    def _server(self, name: str, process_id: str) -> dict[str, object]:
        return {"name": name, "process_id": process_id, "seen_time": to_micros(self._transaction.now)}

    async def _change(self, *questions: Question) -> list[list[Row]]:
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()
        return await self._transaction.connection.ask(questions)
