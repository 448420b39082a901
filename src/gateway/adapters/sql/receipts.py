"""Receipts in SQL."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from gateway.adapters.sql.message_rows import receipt_of, receipt_row
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import receipts
from gateway.adapters.sql.transaction import Transaction
from gateway.domain.messages import Receipt

_OF_MESSAGE = select(receipts).where(receipts.c.message_id == bindparam("message_id"))
_OF_PERSON = _OF_MESSAGE.where(receipts.c.participant_id == bindparam("participant_id"))
_PAGE = (
    _OF_MESSAGE.where(receipts.c.ordinal > bindparam("after")).order_by(receipts.c.ordinal).limit(bindparam("limit"))
)


class SqlReceipts:
    """See `gateway.ports.unit_of_work.Receipts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows = transaction.receipts

    async def get(self, message_id: str, participant_id: str) -> Receipt | None:
        row = await self._row((message_id, participant_id))
        return receipt_of(row) if row else None

    async def page(self, message_id: str, *, after_ordinal: int, limit: int) -> list[Receipt]:
        await self._transaction.settle()
        parameters = {"message_id": message_id, "after": after_ordinal, "limit": limit}
        rows = await self._transaction.connection.rows(_PAGE, parameters)
        return [receipt_of(row) for row in rows]

    async def save(self, receipt: Receipt) -> None:
        self._transaction.changing()
        key = (receipt.message_id, receipt.participant_id)
        write = self._rows.change if await self._row(key) else self._rows.add
        write(key, receipt_row(receipt))

    async def _row(self, key: tuple[str, str]) -> Row | None:
        row = self._rows.find(key)
        if row is None:
            return None
        if row is not UNKNOWN:
            if row["ordinal"] or self._rows.is_own(key):
                return row
            await self._transaction.flush()
            self._rows.unlearn(key)
        parameters = {"message_id": key[0], "participant_id": key[1]}
        found = await self._transaction.connection.rows(_OF_PERSON, parameters)
        known = found[0] if found else None
        self._rows.learn(key, known)
        return known
