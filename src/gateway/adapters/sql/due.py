"""What bells should have told by now, inside a unit: for those who cannot hear the bells of other processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, exists, or_, select

from gateway.adapters.sql.columns import among, is_unsent, listed
from gateway.adapters.sql.tables import messages, sessions
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros
from gateway.domain.messages import State

_is_due: Final = exists().where(
    messages.c.session_uid == sessions.c.uid,
    is_unsent(messages.c.state),
    messages.c.state == State.STATE_QUEUED,
    messages.c.due_time <= bindparam("now"),
    or_(messages.c.next_attempt_time.is_(None), messages.c.next_attempt_time <= bindparam("now")),
)
_OUTBOXES: Final = select(sessions.c.uid).where(among(sessions.c.uid, "uids"), _is_due)
_WISHES: Final = select(
    sessions.c.uid,
    sessions.c.desired_state,
    sessions.c.logout_wanted,
    sessions.c.restarts,
    sessions.c.expected_phone_number,
    sessions.c.deleted_time,
).where(among(sessions.c.uid, "uids"))


class SqlDue:
    """Looks at many sessions at once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def outboxes(self, session_uids: Iterable[str]) -> list[str]:
        """Those of the sessions that have something queued to send now, be it that it has to wait behind another."""
        parameters = {"uids": listed(session_uids), "now": to_micros(self._transaction.now)}
        return [row["uid"] for row in await self._transaction.connection.rows(_OUTBOXES, parameters)]

    async def wishes(self, session_uids: Iterable[str]) -> dict[str, tuple[object, ...]]:
        """What is wanted of the sessions, to be compared with what was wanted before."""
        rows = await self._transaction.connection.rows(_WISHES, {"uids": listed(session_uids)})
        return {row["uid"]: tuple(row.values()) for row in rows}
