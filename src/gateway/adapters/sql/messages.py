"""Messages in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, and_, bindparam, exists, select

from gateway.adapters.sql import outbox
from gateway.adapters.sql.columns import among, each_of, is_set, listed, one_of
from gateway.adapters.sql.joining import join_messages, join_receipts
from gateway.adapters.sql.lookups import Lookup, by_key
from gateway.adapters.sql.message_rows import message_of, message_row
from gateway.adapters.sql.moments import micros_if_any
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import messages
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.clocks import to_micros
from gateway.domain.messages import Direction, Message, State
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import MessageFilter

_BY_IDS = select(messages).where(among(messages.c.message_id, "keys"))
_NAMED = select(messages).where(messages.c.session_uid == bindparam("uid"), is_set(messages.c.provider_message_id))
_BY_KEY = _NAMED.where(
    messages.c.chat_id == bindparam("chat_id"),
    messages.c.sender_id == bindparam("sender_id"),
    messages.c.provider_message_id == bindparam("provider_message_id"),
    messages.c.edit == bindparam("edit"),
)
_IN_CHAT = (
    _NAMED.where(
        messages.c.chat_id == bindparam("chat_id"),
        messages.c.provider_message_id == bindparam("provider_message_id"),
    )
    .order_by(messages.c.ordinal)
    .limit(1)
)
_SENT = _NAMED.where(
    messages.c.direction == Direction.DIRECTION_OUTBOUND,
    among(messages.c.provider_message_id, "provider_message_ids"),
).order_by(messages.c.ordinal)

_ASKED = each_of("chat_ids")
_KNOWN_CHATS = select(_ASKED.c.value.label("chat_id")).where(
    exists().where(
        messages.c.tenant_id == bindparam("tenant_id"),
        messages.c.chat_id == _ASKED.c.value,
        messages.c.session_uid == bindparam("uid"),
        one_of(messages.c.state, (State.STATE_SENT, State.STATE_RECEIVED)),
    )
)

_PAGE = select(messages).where(messages.c.tenant_id == bindparam("tenant_id"))
_CONDITIONS = {
    "session_id": and_(
        messages.c.session_id == bindparam("session_id"), messages.c.session_uid == bindparam("session_uid")
    ),
    "chat_id": messages.c.chat_id == bindparam("chat_id"),
    "direction": messages.c.direction == bindparam("direction"),
    "states": among(messages.c.state, "states"),
    "before": messages.c.ordinal < bindparam("before"),
}


@cache
def _page(shape: frozenset[str]) -> Select[Any]:
    """The newest messages that meet some of the conditions."""
    wanted = _PAGE.where(*(condition for name, condition in _CONDITIONS.items() if name in shape))
    return wanted.order_by(messages.c.ordinal.desc()).limit(bindparam("limit"))


class SqlMessages:
    """See `gateway.ports.unit_of_work.Messages`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.messages
        self._keys = transaction.message_keys

    async def get(self, tenant_id: str, message_id: str) -> Message | None:
        row = await self._row(message_id)
        return message_of(row) if row and row["tenant_id"] == tenant_id else None

    async def find_inbound(
        self, session_uid: str, chat_id: str, sender_id: str, provider_message_id: str, edit: str
    ) -> Message | None:
        key = (session_uid, chat_id, sender_id, provider_message_id, edit)
        message_id = self._keys.find(key)
        if message_id is UNKNOWN:
            message_id = await self._find(key)
        row = await self._row(message_id) if message_id else None
        return message_of(row) if row else None

    async def find_sent(self, session_uid: str, provider_message_ids: Sequence[str]) -> list[Message]:
        return await self._list(_SENT, {"uid": session_uid, "provider_message_ids": listed(provider_message_ids)})

    async def find_in_chat(self, session_uid: str, chat_id: str, provider_message_id: str) -> Message | None:
        parameters = {"uid": session_uid, "chat_id": chat_id, "provider_message_id": provider_message_id}
        found = await self._list(_IN_CHAT, parameters)
        return found[0] if found else None

    async def page(
        self, tenant_id: str, which: MessageFilter, *, before_ordinal: int | None, limit: int
    ) -> list[Message]:
        asked = {
            "session_id": which.session.session_id if which.session else "",
            "session_uid": which.session.uid if which.session else "",
            "chat_id": which.chat_id,
            "direction": which.direction,
            "states": listed(which.states) if which.states else "",
            "before": before_ordinal,
        }
        shape = frozenset(name for name in _CONDITIONS if asked[name] or (name == "before" and asked[name] is not None))
        return await self._list(_page(shape), {"tenant_id": tenant_id, "limit": limit, **asked})

    async def chat_heads(self, session_uid: str, now: datetime) -> list[Message]:
        return await self._list(outbox.HEADS, {"uid": session_uid, "now": to_micros(now)})

    async def chat_front(self, session_uid: str, chat_id: str, now: datetime) -> Message | None:
        parameters = {"uid": session_uid, "chat_id": chat_id, "now": to_micros(now)}
        found = await self._list(outbox.FRONT, parameters)
        return found[0] if found else None

    async def known_chats(self, session: Session, chat_ids: Iterable[str]) -> set[str]:
        await self._transaction.settle()
        parameters = {"tenant_id": session.tenant_id, "uid": session.uid, "chat_ids": listed(chat_ids)}
        rows = await self._transaction.connection.rows(_KNOWN_CHATS, parameters)
        return {row["chat_id"] for row in rows}

    async def unsent(self, session_uid: str, *, after: Message | None = None, limit: int) -> list[Message]:
        return await self._list(outbox.UNSENT, {"uid": session_uid, "limit": limit, **_behind(after)})

    async def overdue(self, now: datetime, limit: int) -> list[Message]:
        return await self._list(outbox.OVERDUE, {"now": to_micros(now), "limit": limit})

    async def add(self, message: Message) -> None:
        self._transaction.changing()
        row = message_row(message)
        self._rows.add(message.message_id, row)
        self._note_key(row)

    async def save(self, message: Message) -> None:
        self._transaction.changing()
        before = await self._row(message.message_id)
        if before is None:
            raise LookupError("a message is saved that was never added")
        self._keys.put(_key_of(before), None)
        row = message_row(message)
        self._rows.change(message.message_id, row)
        self._note_key(row)

    async def move_chat(self, tenant_id: str, from_id: str, to_id: str) -> None:
        self._transaction.changing()
        await self._transaction.settle()
        await self._transaction.venture()
        await join_messages(self._transaction.connection, tenant_id, from_id, to_id)
        await join_receipts(self._transaction.connection, tenant_id, from_id, to_id)
        for layer in (self._rows, self._keys, self._transaction.receipts):
            layer.clear()

    async def _list(self, statement: Executable, parameters: dict[str, Any]) -> list[Message]:
        """Read some messages, and hold their sessions if the unit may write."""
        await self._transaction.settle()
        rows = await self._transaction.connection.rows(statement, parameters)
        while await self._transaction.guard.hold(row["session_uid"] for row in rows):
            rows = await self._transaction.connection.rows(statement, parameters)
        for row in rows:
            self._rows.unlearn(row["message_id"])
            self._rows.learn(row["message_id"], row)
        return [message_of(row) for row in rows]

    async def _find(self, key: tuple[str, ...]) -> str | None:
        await self._transaction.guard.hold([key[0]])
        parameters = dict(zip(("uid", "chat_id", "sender_id", "provider_message_id", "edit"), key, strict=True))
        found = await self._transaction.connection.rows(_BY_KEY, parameters)
        for row in found:
            self._rows.learn(row["message_id"], row)
        message_id: str | None = found[0]["message_id"] if found else None
        self._keys.learn(key, message_id)
        return message_id

    async def _row(self, message_id: str) -> Row | None:
        row = self._rows.find(message_id)
        if isinstance(row, Mapping) and not row["ordinal"] and not self._rows.is_own(message_id):
            await self._transaction.flush()
            self._rows.unlearn(message_id)
        await self._transaction.connection.look(self.lookups([message_id]))
        row = self._rows.find(message_id)
        if isinstance(row, Mapping) and self._transaction.guard.lacks(row["session_uid"]):
            await self._transaction.guard.hold([row["session_uid"]])
            self._rows.unlearn(message_id)
            return await self._row(message_id)
        return None if row is UNKNOWN else row

    def lookups(self, message_ids: Iterable[str]) -> list[Lookup]:
        """What to ask for messages that are not known yet."""
        return by_key(self._rows, _BY_IDS, "message_id", message_ids)

    def _note_key(self, row: Row) -> None:
        if row["provider_message_id"]:
            self._keys.put(_key_of(row), row["message_id"])


def _behind(last: Message | None) -> dict[str, Any]:
    """Where the outbox goes on behind a message, or begins."""
    if last is None:
        return {"chat_id": "", "due_time": 0, "ordinal": 0}
    return {"chat_id": last.chat_id, "due_time": micros_if_any(last.due_time) or 0, "ordinal": last.ordinal}


def _key_of(row: Row) -> tuple[str, ...]:
    return (row["session_uid"], row["chat_id"], row["sender_id"], row["provider_message_id"], row["edit"])
