"""Fences and leases in SQL, inside a unit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Select, bindparam, not_, or_, select, update

from gateway.adapters.sql.columns import among, one_of
from gateway.adapters.sql.lookups import Lookup, by_key
from gateway.adapters.sql.sessions import lookups_by_uid
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import leases, sessions
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros
from gateway.domain.errors import LeaseLost
from gateway.domain.leases import Lease
from gateway.domain.sessions import RESTING, DesiredState

_BY_SESSIONS = select(leases).where(among(leases.c.session_uid, "keys"))
_RENEW = (
    update(leases)
    .values(expire_time=bindparam("until"))
    .where(leases.c.owner_id == bindparam("owner"), leases.c.expire_time > bindparam("now"))
    .returning(leases.c.tenant_id, leases.c.session_uid, leases.c.owner_id, leases.c.fence)
)
_END_ALL = update(leases).values(expire_time=0).returning(leases.c.session_uid)
_FREE: Select[tuple[str, str, int | None]] = (
    select(sessions.c.tenant_id, sessions.c.uid, leases.c.fence)
    .join(leases, leases.c.session_uid == sessions.c.uid, isouter=True)
    .where(
        sessions.c.deleted_time.is_(None),
        or_(
            sessions.c.desired_state == DesiredState.DESIRED_STATE_RUNNING,
            sessions.c.logout_wanted,
            not_(one_of(sessions.c.state, RESTING)),
        ),
        or_(leases.c.session_uid.is_(None), leases.c.expire_time <= bindparam("now")),
    )
    .order_by(sessions.c.uid)
    .limit(bindparam("limit"))
)
"""Sessions that a worker has something to do for (see `Session.is_wanted`) and that nobody holds."""


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
        """What to ask for leases that are not known yet, and for their sessions, which owners look at next."""
        uids = list(session_uids)
        of_leases = by_key(self._rows, _BY_SESSIONS, "session_uid", uids)
        return [*of_leases, *lookups_by_uid(self._transaction.sessions, uids)]

    async def has_free(self) -> bool:
        """Whether there is anything to claim."""
        parameters = {"now": to_micros(self._transaction.now), "limit": 1}
        return bool(await self._transaction.connection.rows(_FREE, parameters))

    async def claim(self, owner_id: str, limit: int, ttl: timedelta) -> list[Lease]:
        """Take what is free."""
        self._transaction.changing()
        await self._transaction.settle()
        parameters = {"now": to_micros(self._transaction.now), "limit": limit}
        free = await self._transaction.connection.rows(_FREE, parameters)
        claimed = [Lease(row["tenant_id"], row["uid"], owner_id, (row["fence"] or 0) + 1) for row in free]
        for lease in claimed:
            write = self._rows.add if lease.fence == 1 else self._rows.change
            write(lease.session_uid, _row_of(lease, to_micros(self._transaction.now + ttl)))
        return claimed

    async def renew(self, owner_id: str, ttl: timedelta) -> list[Lease]:
        """Renew what an owner holds."""
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()
        now = self._transaction.now
        parameters = {"owner": owner_id, "now": to_micros(now), "until": to_micros(now + ttl)}
        renewed = await self._transaction.connection.rows(_RENEW, parameters)
        self._rows.clear()
        return [Lease(**row) for row in renewed]

    async def end_all(self) -> None:
        """Take every lease from its holder; the fences stay."""
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()
        await self._transaction.connection.rows(_END_ALL, {})
        self._rows.clear()

    async def release(self, lease: Lease) -> None:
        """Let go, if it is still held."""
        self._transaction.changing()
        row = await self._row(lease.session_uid)
        if row and row["fence"] == lease.fence and row["owner_id"] == lease.owner_id:
            self._rows.change(lease.session_uid, {**row, "expire_time": 0})

    async def _row(self, session_uid: str) -> Row | None:
        if self._rows.find(session_uid) is UNKNOWN:
            await self._transaction.connection.look(self.lookups([session_uid]))
        row = self._rows.find(session_uid)
        return None if row is UNKNOWN else row


def _row_of(lease: Lease, expire_time: int) -> dict[str, object]:
    return {
        "tenant_id": lease.tenant_id,
        "session_uid": lease.session_uid,
        "owner_id": lease.owner_id,
        "fence": lease.fence,
        "expire_time": expire_time,
    }
