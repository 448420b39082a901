"""The outbox: statements over the messages that have not left, each served by an index of those alone."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    tuple_,
)

from gateway.adapters.sql.columns import is_unsent
from gateway.adapters.sql.tables import messages
from gateway.domain.messages import State

_MINE: Final[BindParameter[str]] = bindparam("uid")


def _waiting(table: Table | Subquery = messages) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.session_uid == _MINE, is_unsent(table.c.state)


def _in_line(table: FromClause) -> ColumnElement[bool]:
    """Not pausing before its next attempt."""
    pausing = and_(table.c.state == State.STATE_QUEUED, table.c.next_attempt_time > bindparam("now"))
    return or_(table.c.next_attempt_time.is_(None), not_(pausing))


def _heads() -> Executable:
    """Step from chat to chat and look at the first of each: what waits behind the fronts costs nothing."""
    first = messages.alias("first")
    chats = select(func.min(messages.c.chat_id).label("chat_id")).where(*_waiting()).cte("chats", recursive=True)
    following = (
        select(func.min(first.c.chat_id))
        .where(first.c.session_uid == _MINE, is_unsent(first.c.state), first.c.chat_id > chats.c.chat_id)
        .scalar_subquery()
    )
    chats = chats.union_all(select(following).where(chats.c.chat_id.is_not(None)))
    head = (
        select(first.c.ordinal)
        .where(
            first.c.session_uid == _MINE,
            is_unsent(first.c.state),
            first.c.chat_id == chats.c.chat_id,
            _in_line(first),
        )
        .order_by(first.c.due_time, first.c.ordinal)
        .limit(1)
        .correlate(chats)
        .scalar_subquery()
    )
    found: Select[tuple[int]] = select(messages).select_from(chats).join(messages, messages.c.ordinal == head)
    return found.order_by(messages.c.due_time, messages.c.ordinal)


HEADS: Final = _heads()
"""Of each chat the one that was due first, then accepted first; those that pause are passed over."""

FRONT: Final = (
    select(messages)
    .where(*_waiting(), messages.c.chat_id == bindparam("chat_id"), _in_line(messages))
    .order_by(messages.c.due_time, messages.c.ordinal)
    .limit(1)
)
"""The same of one chat."""

_PLACE: Final = (messages.c.chat_id, messages.c.due_time, messages.c.ordinal)
UNSENT: Final = (
    select(messages)
    .where(*_waiting(), tuple_(*_PLACE) > tuple_(*(bindparam(column.name) for column in _PLACE)))
    .order_by(*_PLACE)
    .limit(bindparam("limit"))
)
"""All of a session, as they lie in its index: so a page costs the same wherever it begins."""

OVERDUE: Final = (
    select(messages)
    .where(
        is_unsent(messages.c.state),
        messages.c.state != State.STATE_SENDING,
        messages.c.give_up_time <= bindparam("now"),
    )
    .order_by(messages.c.give_up_time)
    .limit(bindparam("limit"))
)
"""Those of any session that should be given up: of one that is being sent, the outcome is awaited."""
