"""Workers in SQL, inside a unit: who is at work, and how many sessions there are for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Boolean, Column, Table, bindparam, delete, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.sql.columns import TEXT, moment, number, one_of, text
from gateway.adapters.sql.lookups import Question
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.tables import leases, metadata, sessions
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.wanted import NEVER_OWNED, OWNED, UNOWNED, WANTED
from gateway.domain.clocks import from_micros, to_micros
from gateway.domain.sessions import SAYS_THAT_A_LINE_IS_OPEN
from gateway.domain.workers import FORGOTTEN_AFTER, Roll, Worker

workers: Final = Table(
    "workers",
    metadata,
    Column("worker_id", TEXT, primary_key=True),
    text("display_name"),
    text("version"),
    moment("start_time"),
    number("capacity"),
    text("metrics_address"),
    number("session_count"),
    Column("is_draining", Boolean, nullable=False, server_default=false()),
    Column("drain_wanted", Boolean, nullable=False, server_default=false()),
    moment("heartbeat_time"),
    moment("alive_until"),
)
_WRITTEN_ONCE: Final = frozenset({"worker_id", "start_time", "drain_wanted"})

_fresh: Final = insert(workers).values({column.name: bindparam("row_" + column.name) for column in workers.c})
_BEAT: Final = _fresh.on_conflict_do_update(
    index_elements=[workers.c.worker_id],
    set_={column.name: _fresh.excluded[column.name] for column in workers.c if column.name not in _WRITTEN_ONCE},
)
_GET: Final = select(workers).where(workers.c.worker_id == bindparam("worker_id"))
_PAGE: Final = (
    select(workers)
    .where(workers.c.worker_id > bindparam("after"), workers.c.alive_until > bindparam("since"))
    .order_by(workers.c.worker_id)
    .limit(bindparam("limit"))
)
_ALL: Final = select(workers).where(workers.c.alive_until > bindparam("since")).order_by(workers.c.worker_id)
_DRAIN: Final = update(workers).values(drain_wanted=True).where(workers.c.worker_id == bindparam("wanted_id"))
_LEAVE: Final = delete(workers).where(workers.c.worker_id == bindparam("worker_id"))
_FORGET: Final = delete(workers).where(workers.c.alive_until <= bindparam("since"))
_FORGET_ALL: Final = delete(workers)
_UNATTENDED: Final = (
    select(sessions.c.uid)
    .select_from(OWNED)
    .where(
        sessions.c.deleted_time.is_(None),
        one_of(sessions.c.state, SAYS_THAT_A_LINE_IS_OPEN),
        or_(NEVER_OWNED, leases.c.expire_time <= bindparam("now")),
    )
    .order_by(sessions.c.uid)
    .limit(bindparam("limit"))
)
_WANTED: Final = select(func.count().label("count")).select_from(WANTED)
_UNOWNED: Final = select(func.count().label("count")).select_from(UNOWNED)


class SqlWorkers:
    """See `gateway.ports.unit_of_work.Workers`; and what workers themselves say."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, worker_id: str) -> Worker | None:
        await self._transaction.settle()
        found = await self._transaction.connection.rows(_GET, {"worker_id": worker_id})
        return worker_of(found[0]) if found else None

    async def page(self, *, after: str, limit: int) -> list[Worker]:
        await self._transaction.settle()
        parameters = {"after": after, "since": self._oldest(), "limit": limit}
        return [worker_of(row) for row in await self._transaction.connection.rows(_PAGE, parameters)]

    async def roll(self) -> Roll:
        await self._transaction.settle()
        return roll_of(await self._transaction.connection.ask(self.roll_questions()), self._transaction.now)

    async def unattended(self, limit: int) -> list[str]:
        await self._transaction.settle()
        parameters = {"now": to_micros(self._transaction.now), "limit": limit}
        return [row["uid"] for row in await self._transaction.connection.rows(_UNATTENDED, parameters)]

    async def want_drain(self, worker_id: str) -> None:
        await self._change()
        await self._transaction.connection.rows(_DRAIN, {"wanted_id": worker_id})

    async def beat(self, worker: Worker, ttl: timedelta) -> None:
        """Note that a worker lives, and that it will for as long as a lease lasts."""
        await self._change()
        await self._transaction.connection.ask([self.beat_question(worker, ttl)])

    async def leave(self, worker_id: str) -> None:
        """Forget a worker that ended, and those that were lost long ago."""
        await self._change()
        gone = [Question(_LEAVE, {"worker_id": worker_id}), Question(_FORGET, {"since": self._oldest()})]
        await self._transaction.connection.ask(gone)

    def beat_question(self, worker: Worker, ttl: timedelta) -> Question:
        """What notes that a worker lives."""
        now = self._transaction.now
        row = {
            "worker_id": worker.worker_id,
            "display_name": worker.display_name,
            "version": worker.version,
            "start_time": to_micros(worker.start_time),
            "capacity": worker.capacity,
            "metrics_address": worker.metrics_address,
            "session_count": worker.session_count,
            "is_draining": worker.is_draining,
            "drain_wanted": worker.drain_wanted,
            "heartbeat_time": to_micros(now),
            "alive_until": to_micros(now + ttl),
        }
        return Question(_BEAT, row)

    @staticmethod
    def nobody_question() -> Question:
        """What forgets all workers."""
        return Question(_FORGET_ALL, {})

    def roll_questions(self) -> list[Question]:
        """What asks who is at work; see `roll_of`."""
        now = to_micros(self._transaction.now)
        return [Question(_ALL, {"since": now}), Question(_WANTED, {}), Question(_UNOWNED, {"now": now})]

    async def _change(self) -> None:
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()

    def _oldest(self) -> int:
        return to_micros(self._transaction.now - FORGOTTEN_AFTER)


def roll_of(answers: list[list[Row]], now: datetime) -> Roll:
    """What the answers to `roll_questions` say."""
    at_work, (wanted,), (unowned,) = answers
    return Roll(now, tuple(worker_of(row) for row in at_work), wanted["count"], unowned["count"])


def worker_of(row: Row) -> Worker:
    """The worker of a row."""
    facts: dict[str, Any] = dict(row)
    for name in ("start_time", "heartbeat_time", "alive_until"):
        facts[name] = from_micros(facts[name])
    for name in ("is_draining", "drain_wanted"):
        facts[name] = bool(facts[name])
    return Worker(**facts)
