"""One transaction: the shelves of every table, and how what is wanted reaches the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import RowsUnfit, Step
from gateway.adapters.sql.guard import Guard
from gateway.adapters.sql.idioms import Bulk, ForEach
from gateway.adapters.sql.journal import Journal
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.shelf import Layered, Row, Shelf
from gateway.domain.requests import RequestKey


class Transaction:
    """What units share. Units run in turn; each ends with `keep` or `forget`.

    Reads by key are answered from the shelves. Every other read first calls `settle`, so that the database knows all
    that was wanted so far: what the unit under way wants lies behind a savepoint, and can still be undone.
    """

    def __init__(
        self, connection: Connection, now: datetime, known: Known, *, writable: bool, is_shared: bool = False
    ) -> None:
        statements = connection.statements
        self.connection = connection
        self.now = now
        self.writable = writable
        self.guard = Guard(connection, known, is_needed=writable and is_shared)
        self.sessions = known.sessions
        self.session_names = known.session_names
        self.leases = known.leases
        self.messages: Shelf[str] = Shelf()
        self.message_keys: Layered[tuple[str, ...], str] = Layered()
        self.receipts: Shelf[tuple[str, str]] = Shelf()
        self.identities = known.identities
        self.identity_names = known.identity_names
        self.aliases = known.aliases
        self.requests: Shelf[RequestKey] = Shelf()
        self.seized: Layered[tuple[str, str], bool] = Layered()
        """Identities of which nobody else changes anything until the commit."""
        self.journal = Journal()
        self.bells: Layered[str, str] = Layered()
        self._statements = statements
        self._ventured = False
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
            self.seized,
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
            await self.connection.run(self._steps(own=True))

    async def flush(self) -> None:
        """Tell the database what the finished units wanted, all but events."""
        await self.connection.run(self._steps(own=False))

    async def venture(self) -> None:
        """Make sure that what the unit under way does to the database itself can be undone."""
        if not self._ventured:
            self._ventured = True
            await self.connection.savepoint()

    async def write_events(self) -> None:
        """Write the events that the finished units told.

        Raises:
            RowsUnfit: the unit under way might take them with it when it fails: it has to run alone.
        """
        if self.journal.is_waiting and (self._ventured or self.guard.is_needed):
            self.connection.fail(RowsUnfit("the log is read before it can be written"))
        await self.connection.run(self._log_steps())

    async def commit(self) -> None:
        """Tell the database all that the finished units wanted, and make it last."""
        await self.guard.hold(self.journal.counting_sessions())
        await self.connection.commit([*self._steps(own=False), *self._log_steps()])

    async def keep(self) -> None:
        """The unit under way succeeded."""
        for layer in self._layers:
            if layer.own:
                layer.keep()
        if self._ventured:
            self._ventured = False
            await self.connection.release()

    async def forget(self) -> None:
        """The unit under way failed: undo it alone."""
        for layer in self._layers:
            layer.forget()
        if self._ventured:
            self._ventured = False
            await self.connection.undo()

    def _log_steps(self) -> list[Step]:
        told = self.journal.drain()
        return self._statements.idiom.log_steps(told) if told else []

    def _steps(self, *, own: bool) -> list[Step]:
        """The steps that tell the database what is wanted by the finished units, or by the unit under way."""
        steps = self._identity_steps(own=own)
        for shelf, bulk in self._shelves:
            if not shelf.is_idle(own=own):
                wanted = shelf.drain(own=own)
                steps += [(bulk.update, wanted.changed), (bulk.insert, wanted.added)]
        return [step for statement, rows in steps if rows for step in statement.each(rows)]

    def _identity_steps(self, *, own: bool) -> list[tuple[ForEach, Sequence[Row]]]:
        if self.identities.is_idle(own=own):
            return []
        wanted = self.identities.drain(own=own)
        gone = [{"tenant_id": tenant_id, "identity_id": identity_id} for tenant_id, identity_id in wanted.removed]
        bulk = self._statements.identities
        return [
            (bulk.delete, gone),
            (self._statements.nameless, wanted.changed),
            (bulk.update, wanted.changed),
            (bulk.insert, wanted.added),
        ]
