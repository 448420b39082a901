"""Which sessions a worker has something to do for (see `gateway.domain.sessions.Session.is_wanted`), and which of them
nobody owns.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, not_, or_, select

from gateway.adapters.sql.columns import one_of
from gateway.adapters.sql.tables import leases, sessions
from gateway.domain.sessions import RESTING, DesiredState

IS_WANTED: Final = and_(
    sessions.c.deleted_time.is_(None),
    or_(
        sessions.c.desired_state == DesiredState.DESIRED_STATE_RUNNING,
        sessions.c.logout_wanted,
        not_(one_of(sessions.c.state, RESTING)),
    ),
)
NEVER_OWNED: Final = leases.c.session_uid.is_(None)

OWNED: Final = sessions.join(leases, leases.c.session_uid == sessions.c.uid, isouter=True)

WANTED: Final = select(sessions.c.uid).where(IS_WANTED).subquery("wanted")
UNOWNED: Final = (
    select(sessions.c.uid)
    .select_from(OWNED)
    .where(IS_WANTED, or_(NEVER_OWNED, leases.c.expire_time <= bindparam("now")))
    .subquery("unowned")
)
NEW: Final = (
    select(sessions.c.uid, sessions.c.tenant_id)
    .select_from(OWNED)
    .where(IS_WANTED, NEVER_OWNED)
    .order_by(sessions.c.uid)
    .limit(bindparam("limit"))
)
"""Wanted sessions that have no lease yet."""
FREE: Final = (
    select(leases.c.session_uid)
    .select_from(leases.join(sessions, leases.c.session_uid == sessions.c.uid))
    .where(IS_WANTED, leases.c.expire_time <= bindparam("free_since"))
    .order_by(leases.c.session_uid)
    .limit(bindparam("limit"))
    .with_for_update(of=leases, skip_locked=True)
)
"""Wanted sessions whose lease ran out or was given back by then; on PostgreSQL, those that nobody else is just taking
or writing for.
"""
