"""Fences and leases in SQL, inside a unit.

On PostgreSQL a unit of an owner locks its lease's row against whoever would claim it, until it is committed; claims
pass over rows that are locked, so that nobody waits for a process that hangs; and renewals get along with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.sql.columns import among
from gateway.adapters.sql.lookups import Lookup, Question, by_key
from gateway.adapters.sql.sessions import lookups_by_uid
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import leases
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.wanted import FREE, NEW
from gateway.adapters.sql.workers import SqlWorkers, roll_of
from gateway.domain.clocks import to_micros
from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.workers import Roll, Worker
from gateway.ports.queue import FLEET

_BY_SESSIONS: Final = select(leases).where(among(leases.c.session_uid, "keys"))
_TO_WRITE_FOR: Final = _BY_SESSIONS.with_for_update(read=True, key_share=True)
_LEASE: Final = (leases.c.tenant_id, leases.c.session_uid, leases.c.owner_id, leases.c.fence)
_RENEW: Final = (
    update(leases)
    .values(expire_time=bindparam("until"))
    .where(leases.c.owner_id == bindparam("owner"), leases.c.expire_time > bindparam("now"))
    .returning(*_LEASE)
)
_END_ALL: Final = update(leases).values(expire_time=0)
_new_rows: Final = NEW.add_columns(
    literal_column("''"), literal_column("0"), bindparam("now", type_=BigInteger).label("expire_time")
)
_ENTER: Final = (
    insert(leases)
    .from_select(["session_uid", "tenant_id", "owner_id", "fence", "expire_time"], _new_rows)
    .on_conflict_do_nothing()
)
_free: Final = FREE.cte("free")
_CLAIM: Final = (
    update(leases)
    .values(owner_id=bindparam("owner"), fence=leases.c.fence + 1, expire_time=bindparam("until"))
    .where(leases.c.session_uid.in_(select(_free.c.session_uid)))
    .returning(*_LEASE)
)


class SqlFences:
    """See `gateway.ports.unit_of_work.Fences`; and what leases need beyond that."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.leases

    async def check(self, session_uid: str, fence: int) -> None:
        row = await self._row(session_uid)
        if row is None or row["fence"] != fence or row["expire_time"] <= to_micros(self._transaction.now):
            raise LeaseLost

    async def is_held(self, session_uid: str) -> bool:
        return bool(await self.holder(session_uid))

    async def holder(self, session_uid: str) -> int:
        row = await self._row(session_uid)
        held = row is not None and row["expire_time"] > to_micros(self._transaction.now)
        return int(row["fence"]) if row and held else 0

    def lookups(self, session_uids: Iterable[str]) -> list[Lookup]:
        """What to ask for leases that are not known yet."""
        statement = _TO_WRITE_FOR if self._transaction.writable else _BY_SESSIONS
        return by_key(self._rows, statement, "session_uid", session_uids)

    async def claim(self, owner_id: str, limit: int, ttl: timedelta, free_for: timedelta = timedelta(0)) -> list[Lease]:
        """Take what is free, and has been for so long."""
        await self._change()
        now = self._transaction.now
        enter = {"now": to_micros(now), "limit": limit}
        take = {
            "owner": owner_id,
            "until": to_micros(now + ttl),
            "free_since": to_micros(now - free_for),
            "limit": limit,
        }
        _, claimed = await self._transaction.connection.ask([Question(_ENTER, enter), Question(_CLAIM, take)])
        self._rows.clear()
        return [Lease(**row) for row in claimed]

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        """Renew what an owner holds."""
        await self._change()
        (renewed,) = await self._transaction.connection.ask([self._renewal(owner_id, ttl)])
        self._rows.clear()
        return [Lease(**row) for row in renewed]

    async def check_in(self, worker: Worker, ttl: timedelta) -> tuple[list[Lease], Roll]:
        """Renew what a worker holds, note that it lives, and tell who is at work, in one trip."""
        await self._change()
        registry = SqlWorkers(self._transaction)
        questions = [self._renewal(worker.worker_id, ttl), registry.beat_question(worker, ttl)]
        renewed, _, *answers = await self._transaction.connection.ask([*questions, *registry.roll_questions()])
        self._rows.clear()
        return [Lease(**row) for row in renewed], roll_of(answers, self._transaction.now)

    async def end_all(self) -> None:
        """Take every lease from its holder; the fences stay."""
        await self._change()
        await self._transaction.connection.ask([Question(_END_ALL, {}), SqlWorkers.nobody_question()])
        self._rows.clear()

    async def release(self, lease: Lease) -> None:
        """Let go, if it is still held, and let those hear it who would take it."""
        self._transaction.changing()
        row = await self._row(lease.session_uid)
        now = to_micros(self._transaction.now)
        if row and row["fence"] == lease.fence and row["owner_id"] == lease.owner_id and row["expire_time"] > now:
            self._rows.change(lease.session_uid, {**row, "expire_time": now})
            self._transaction.bells.put(FLEET, FLEET)

    def _renewal(self, owner_id: str, ttl: timedelta) -> Question:
        now = self._transaction.now
        return Question(_RENEW, {"owner": owner_id, "now": to_micros(now), "until": to_micros(now + ttl)})

    async def _change(self) -> None:
        """Change rows in the database itself: it has to know all that was wanted so far."""
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()

    async def _row(self, session_uid: str) -> Row | None:
        if self._rows.find(session_uid) is UNKNOWN:
            lookups = self.lookups([session_uid])
            if not await self._transaction.guard.hold([session_uid], lookups=lookups):
                of_session = lookups_by_uid(self._transaction.sessions, [session_uid])
                await self._transaction.connection.look([*lookups, *of_session])
        row = self._rows.find(session_uid)
        return None if row is UNKNOWN else row
