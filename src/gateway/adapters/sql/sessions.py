"""Sessions in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from gateway.adapters.sql.columns import among, is_unsent, listed
from gateway.adapters.sql.lookups import Lookup, Question, by_key
from gateway.adapters.sql.moments import moment_if_any
from gateway.adapters.sql.session_rows import session_of, session_row
from gateway.adapters.sql.shelf import UNKNOWN, Row, Shelf
from gateway.adapters.sql.tables import messages, sessions
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros
from gateway.domain.sessions import Census, OutboxSize, Session, State

_BY_UIDS = select(sessions).where(among(sessions.c.uid, "keys"))
_LIVE = select(sessions).where(sessions.c.tenant_id == bindparam("tenant_id"), sessions.c.deleted_time.is_(None))
_BY_NAMES = _LIVE.where(among(sessions.c.session_id, "session_ids"))
_PAGE = (
    _LIVE.where(sessions.c.session_id > bindparam("after")).order_by(sessions.c.session_id).limit(bindparam("limit"))
)
_PAGE_IN_STATES = _PAGE.where(among(sessions.c.state, "states"))
_DELETED = select(sessions.c.uid).where(among(sessions.c.uid, "uids"), sessions.c.deleted_time.is_not(None))
_PROVIDERS = select(sessions.c.provider).where(sessions.c.deleted_time.is_(None)).distinct()
_IN_STATES = (
    select(sessions)
    .where(sessions.c.deleted_time.is_(None), among(sessions.c.state, "states"))
    .order_by(sessions.c.uid)
    .limit(bindparam("limit"))
)
_RESTRICTED_UNTIL = (
    select(sessions)
    .where(sessions.c.deleted_time.is_(None), sessions.c.restrictions_end_time <= bindparam("now"))
    .order_by(sessions.c.restrictions_end_time)
    .limit(bindparam("limit"))
)
_ALL_OUTBOXES = select(func.count().label("count"), func.min(messages.c.due_time).label("oldest")).where(
    is_unsent(messages.c.state)
)
_OUTBOX = _ALL_OUTBOXES.where(messages.c.session_uid == bindparam("uid"))
_STATES = (
    select(
        sessions.c.state,
        func.count().label("count"),
        func.count(sessions.c.suspend_time).label("suspended"),
    )
    .where(sessions.c.deleted_time.is_(None))
    .group_by(sessions.c.state)
)


class SqlSessions:
    """See `gateway.ports.unit_of_work.Sessions`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.sessions
        self._names = transaction.session_names

    async def get(self, tenant_id: str, session_id: str) -> Session | None:
        await self._transaction.guard.hold(names=[(tenant_id, session_id)])
        uid = self._names.find((tenant_id, session_id))
        if uid is UNKNOWN:
            await self._transaction.connection.look(self.lookups(tenant_id, [session_id]))
            uid = self._names.find((tenant_id, session_id))
        return await self.get_by_uid(uid) if isinstance(uid, str) else None

    async def get_by_uid(self, session_uid: str) -> Session | None:
        row = await self._row(session_uid)
        return session_of(row) if row else None

    async def page(
        self, tenant_id: str, *, after: str, limit: int, states: Sequence[State.ValueType] = ()
    ) -> list[Session]:
        parameters = {"tenant_id": tenant_id, "after": after, "states": listed(states), "limit": limit}
        return await self._list(_PAGE_IN_STATES if states else _PAGE, parameters)

    async def outbox(self, session_uid: str) -> OutboxSize:
        await self._transaction.settle()
        (row,) = await self._transaction.connection.rows(_OUTBOX, {"uid": session_uid})
        return OutboxSize(row["count"], moment_if_any(row["oldest"]))

    async def with_ended_restrictions(self, now: datetime, limit: int) -> list[Session]:
        return await self._list(_RESTRICTED_UNTIL, {"now": to_micros(now), "limit": limit})

    async def in_states(self, states: Sequence[State.ValueType], limit: int) -> list[Session]:
        return await self._list(_IN_STATES, {"states": listed(states), "limit": limit})

    async def deleted_among(self, session_uids: Sequence[str]) -> list[str]:
        await self._transaction.settle()
        rows = await self._transaction.connection.rows(_DELETED, {"uids": listed(session_uids)})
        return [row["uid"] for row in rows]

    async def providers(self) -> list[str]:
        await self._transaction.settle()
        return [row["provider"] for row in await self._transaction.connection.rows(_PROVIDERS, {})]

    async def census(self) -> Census:
        await self._transaction.settle()
        states, (waiting,) = await self._transaction.connection.ask(
            [Question(_STATES, {}), Question(_ALL_OUTBOXES, {})]
        )
        by_state = {row["state"]: row["count"] for row in states}
        suspended = sum(row["suspended"] for row in states)
        return Census(by_state, OutboxSize(waiting["count"], moment_if_any(waiting["oldest"])), suspended)

    async def add(self, session: Session) -> None:
        self._transaction.changing()
        self._rows.add(session.uid, session_row(session))
        if session.deleted_time is None:
            self._name(session)

    async def save(self, session: Session) -> None:
        self._transaction.changing()
        before = await self._row(session.uid)
        if before is None:
            raise LookupError("a session is saved that was never added")
        self._rows.change(session.uid, session_row(session))
        if before["deleted_time"] is None:
            self._name(session)

    def lookups(self, tenant_id: str, session_ids: Iterable[str]) -> list[Lookup]:
        """What to ask for the sessions of some ids that are not known yet."""
        asked = [name for name in session_ids if self._names.find((tenant_id, name)) is UNKNOWN]

        def learn(rows: list[Row]) -> None:
            for row in rows:
                self._rows.learn(row["uid"], row)
                self._names.learn((tenant_id, row["session_id"]), row["uid"])
            for name in asked:
                self._names.learn((tenant_id, name), None)

        question = Question(_BY_NAMES, {"tenant_id": tenant_id, "session_ids": listed(asked)})
        return [Lookup(question, learn)] if asked else []

    def _name(self, session: Session) -> None:
        """Note what a session that is live, or was just now, makes of its name."""
        uid = session.uid if session.deleted_time is None else None
        self._names.put((session.tenant_id, session.session_id), uid)

    async def _list(self, statement: Select[Any], parameters: Mapping[str, Any]) -> list[Session]:
        """Read some sessions, and hold them if the unit may write."""
        await self._transaction.settle()
        while True:
            rows = await self._transaction.connection.rows(statement, parameters)
            if not await self._transaction.guard.hold(row["uid"] for row in rows):
                return [session_of(row) for row in rows]

    async def _row(self, session_uid: str) -> Row | None:
        await self._transaction.guard.hold([session_uid])
        await self._transaction.connection.look(lookups_by_uid(self._rows, [session_uid]))
        row = self._rows.find(session_uid)
        return None if row is UNKNOWN else row


def lookups_by_uid(shelf: Shelf[str], uids: Iterable[str]) -> list[Lookup]:
    """What to ask for the sessions of some uids that are not known yet."""
    return by_key(shelf, _BY_UIDS, "uid", uids)
