"""What two identities have, joined under one of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    case,
    delete,
    literal,
    select,
    union,
    update,
)

from gateway.adapters.sql.columns import is_set
from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.lookups import Question
from gateway.adapters.sql.tables import identities, messages, receipts

_FROM: BindParameter[str] = bindparam("from_id")
_TO: BindParameter[str] = bindparam("to_id")
_TENANT: BindParameter[str] = bindparam("tenant")


def _joined(column: ColumnElement[str]) -> ColumnElement[str]:
    return case((column == _FROM, _TO), else_=column)


def _same(mine: FromClause, twin: FromClause) -> ColumnElement[bool]:
    return and_(
        mine.c.session_uid == twin.c.session_uid,
        mine.c.provider_message_id == twin.c.provider_message_id,
        mine.c.edit == twin.c.edit,
        mine.c.ordinal != twin.c.ordinal,
        is_set(twin.c.provider_message_id),
        _joined(mine.c.chat_id) == _joined(twin.c.chat_id),
        _joined(mine.c.sender_id) == _joined(twin.c.sender_id),
    )


_LOCK = (
    select(identities.c.identity_id)
    .where(identities.c.tenant_id == _TENANT, identities.c.identity_id == _FROM)
    .with_for_update(nowait=True)
)
"""Where others write, they are done with what they write under this name, or begin after this is committed."""
_mine = messages.alias("mine")
_twin = messages.alias("twin")
_of_tenant = select(messages.c.ordinal).where(messages.c.tenant_id == _TENANT)
_TWINS = (
    select(_mine.c.ordinal.label("mine"), _twin.c.ordinal.label("twin"))
    .select_from(_mine)
    .join(_twin, _same(_mine, _twin))
    .where(
        _mine.c.ordinal.in_(union(*(_of_tenant.where(messages.c[one] == _FROM) for one in ("chat_id", "sender_id")))),
        is_set(_mine.c.provider_message_id),
    )
)
_MARK = (
    update(messages)
    .values(edit=messages.c.edit + literal("~") + messages.c.message_id)
    .where(messages.c.ordinal == bindparam("later"))
)
_CHATS = update(messages).values(chat_id=_TO).where(messages.c.tenant_id == _TENANT, messages.c.chat_id == _FROM)
_SENDERS = update(messages).values(sender_id=_TO).where(messages.c.tenant_id == _TENANT, messages.c.sender_id == _FROM)


async def join_messages(connection: Connection, tenant_id: str, from_id: str, to_id: str) -> None:
    """Give messages of one identity to another. Of a message that both have, each under its name, the later row stays
    as it is, but no longer answers to the natural key.
    """
    parameters = {"tenant": tenant_id, "from_id": from_id, "to_id": to_id}
    await connection.rows(_LOCK, parameters)
    later = {max(row["mine"], row["twin"]) for row in await connection.rows(_TWINS, parameters)}
    if later:
        await connection.each(_MARK, [{"later": ordinal} for ordinal in sorted(later)])
    await connection.ask([Question(_CHATS, parameters), Question(_SENDERS, parameters)])


_kept = receipts.alias("kept")
_given = receipts.alias("given")
_TIMES = ("deliver_time", "read_time", "play_time")
_BOTH = (
    select(
        _kept.c.ordinal.label("kept"),
        _given.c.ordinal.label("given"),
        *(_kept.c[name].label("kept_" + name) for name in _TIMES),
        *(_given.c[name].label("given_" + name) for name in _TIMES),
    )
    .select_from(_kept)
    .join(_given, and_(_given.c.message_id == _kept.c.message_id, _given.c.participant_id == _FROM))
    .where(_given.c.tenant_id == _TENANT, _kept.c.participant_id == _TO)
)
_EARLIEST = (
    update(receipts)
    .values({name: bindparam("earliest_" + name) for name in _TIMES})
    .where(receipts.c.ordinal == bindparam("kept"))
)
_DROP = delete(receipts).where(receipts.c.ordinal == bindparam("given"))
_PEOPLE = (
    update(receipts)
    .values(participant_id=_TO)
    .where(receipts.c.tenant_id == _TENANT, receipts.c.participant_id == _FROM)
)


async def join_receipts(connection: Connection, tenant_id: str, from_id: str, to_id: str) -> None:
    """Give receipts of one identity to another; of two for one message the earliest moments are kept."""
    parameters = {"tenant": tenant_id, "from_id": from_id, "to_id": to_id}
    both = await connection.rows(_BOTH, parameters)
    if both:
        await connection.each(_EARLIEST, [_earliest(dict(row)) for row in both])
        await connection.each(_DROP, [{"given": row["given"]} for row in both])
    await connection.rows(_PEOPLE, parameters)


def _earliest(row: dict[str, Any]) -> dict[str, Any]:
    moments = {
        "earliest_" + name: min(
            (row[of + name] for of in ("kept_", "given_") if row[of + name] is not None), default=None
        )
        for name in _TIMES
    }
    return {"kept": row["kept"], **moments}
