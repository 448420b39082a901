"""A connection to the database, and what can go wrong with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from sqlalchemy import CursorResult, Executable
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.statements import Prepared
from gateway.domain.errors import StoreUnavailable


class RowsUnfit(Exception):
    """Rows break a rule of the schema: another was first, or the unit is at fault."""


class Connection:
    """Runs statements. `fault` keeps what went wrong below, so that no unit can swallow it.

    Every call raises StoreUnavailable if the database does not take or answer, and RowsUnfit if it refuses the rows.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.fault: Exception | None = None

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one statement, and return its rows."""
        result = await self._execute(statement, parameters)
        names = tuple(result.keys())
        return [dict(zip(names, row, strict=True)) for row in result]

    async def run(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> None:
        """Run one statement, once or for each of some parameters."""
        await self._execute(statement, parameters)

    async def write(self, statement: Prepared, rows: Sequence[Row]) -> None:
        """Run a prepared statement for each of some rows."""
        if not rows:
            return
        try:
            await self._connection.exec_driver_sql(statement.sql, [statement.pick(row) for row in rows])
        except DBAPIError as error:
            self.fail(fault_of(error), error)

    async def savepoint(self) -> AsyncTransaction:
        """Begin what can be undone without undoing what came before."""
        try:
            return await self._connection.begin_nested()
        except DBAPIError as error:
            self.fail(fault_of(error), error)

    async def release(self, savepoint: AsyncTransaction) -> None:
        """Make what was done since a savepoint part of what came before it."""
        try:
            await savepoint.commit()
        except DBAPIError as error:
            self.fail(fault_of(error), error)

    async def undo(self, savepoint: AsyncTransaction) -> None:
        """Undo everything since a savepoint."""
        try:
            await savepoint.rollback()
        except DBAPIError as error:
            self.fail(fault_of(error), error)

    async def _execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
    ) -> CursorResult[Any]:
        try:
            return await self._connection.execute(statement, parameters)
        except DBAPIError as error:
            self.fail(fault_of(error), error)

    def fail(self, fault: Exception, cause: Exception | None = None) -> NoReturn:
        """Give the whole transaction up."""
        self.fault = fault
        raise fault from cause


def fault_of(error: DBAPIError) -> Exception:
    """What an error from below means."""
    if isinstance(error, IntegrityError):
        return RowsUnfit(str(error.orig))
    return StoreUnavailable()
