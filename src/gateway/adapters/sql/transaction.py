"""One transaction: the shelves of every table, and how what is wanted reaches the database."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncTransaction

from gateway.adapters.sql.connection import Connection, RowsUnfit
from gateway.adapters.sql.journal import Journal
from gateway.adapters.sql.shelf import Layered, Row, Shelf
from gateway.adapters.sql.statements import Bulk, Statements
from gateway.domain.requests import RequestKey


class Transaction:
    """What units share. Units run in turn; each ends with `keep` or `forget`.

    Reads by key are answered from the shelves. Every other read first calls `settle`, so that the database knows all
    that was wanted so far: what the unit under way wants lies behind a savepoint, and can still be undone.
    """

    def __init__(self, connection: Connection, statements: Statements, now: datetime, *, writable: bool) -> None:
        self.connection = connection
        self.now = now
        self.writable = writable
        self.sessions: Shelf[str] = Shelf()
        self.session_names: Layered[tuple[str, str], str] = Layered()
        self.leases: Shelf[str] = Shelf()
        self.messages: Shelf[str] = Shelf()
        self.message_keys: Layered[tuple[str, ...], str] = Layered()
        self.receipts: Shelf[tuple[str, str]] = Shelf()
        self.identities: Shelf[tuple[str, str]] = Shelf()
        self.identity_names: Layered[tuple[str, str, str], str] = Layered()
        self.aliases: Shelf[tuple[str, str]] = Shelf()
        self.requests: Shelf[RequestKey] = Shelf()
        self.journal = Journal()
        self.bells: Layered[str, str] = Layered()
        self._statements = statements
        self._savepoint: AsyncTransaction | None = None
        self._shelves: list[tuple[Shelf[Any], Bulk]] = [
            (self.sessions, statements.sessions),
            (self.leases, statements.leases),
            (self.messages, statements.messages),
            (self.receipts, statements.receipts),
            (self.aliases, statements.aliases),
            (self.requests, statements.requests),
        ]
        self._layers: list[Layered[Any, Any] | Journal] = [
            *(shelf for shelf, _ in self._shelves),
            self.identities,
            self.session_names,
            self.message_keys,
            self.identity_names,
            self.journal,
            self.bells,
        ]

    def changing(self) -> None:
        """Refuse to change anything in a transaction that only reads."""
        if not self.writable:
            raise TypeError("a unit that only reads changes nothing")

    async def settle(self) -> None:
        """Tell the database all that was wanted so far."""
        await self.flush()
        if self.identities.has_own() or any(shelf.has_own() for shelf, _ in self._shelves):
            await self.venture()
            await self._flush(own=True)

    async def venture(self) -> None:
        """Make sure that what the unit under way does to the database itself can be undone."""
        if self._savepoint is None:
            self._savepoint = await self.connection.savepoint()

    async def flush(self) -> None:
        """Tell the database what the finished units wanted, all but events."""
        await self._flush(own=False)

    async def write_events(self) -> None:
        """Write the events that the finished units told.

        Raises:
            RowsUnfit: the unit under way might take them with it when it fails: it has to run alone.
        """
        if self.journal.is_waiting and self._savepoint is not None:
            self.connection.fail(RowsUnfit("the log is read behind a savepoint"))
        await self.journal.write(self.connection, self._statements)

    async def keep(self) -> None:
        """The unit under way succeeded."""
        savepoint, self._savepoint = self._savepoint, None
        for layer in self._layers:
            layer.keep()
        if savepoint is not None:
            await self.connection.release(savepoint)

    async def forget(self) -> None:
        """The unit under way failed: undo it alone."""
        savepoint, self._savepoint = self._savepoint, None
        for layer in self._layers:
            layer.forget()
        if savepoint is not None:
            await self.connection.undo(savepoint)

    async def _flush(self, *, own: bool) -> None:
        await self._flush_identities(own=own)
        for shelf, bulk in self._shelves:
            await self._write(shelf, bulk, own=own)

    async def _flush_identities(self, *, own: bool) -> None:
        wanted = self.identities.drain(own=own)
        gone = [{"tenant_id": tenant_id, "identity_id": identity_id} for tenant_id, identity_id in wanted.removed]
        nameless = [
            {"tenant_id": row["tenant_id"], "identity_id": row["identity_id"], "no_name": ""} for row in wanted.changed
        ]
        bulk = self._statements.identities
        await self.connection.write(bulk.delete, gone)
        await self.connection.write(self._statements.unname, nameless)
        await self.connection.write(bulk.update, wanted.changed)
        await self.connection.write(bulk.insert, wanted.added)

    async def _write(self, shelf: Shelf[Hashable], bulk: Bulk, *, own: bool) -> None:
        wanted = shelf.drain(own=own)
        changed: list[Row] = wanted.changed
        await self.connection.write(bulk.update, changed)
        await self.connection.write(bulk.insert, wanted.added)
