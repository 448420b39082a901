"""A connection within one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from sqlalchemy import Executable

from gateway.adapters.sql.driver import Contended, Driver, RowsUnfit, Step
from gateway.adapters.sql.lookups import Lookup, Question
from gateway.adapters.sql.shelf import Row
from gateway.adapters.sql.statements import Statements
from gateway.domain.errors import StoreUnavailable

_SAVEPOINT: Final = Step("SAVEPOINT unit", mute=True)
_RELEASE: Final = Step("RELEASE SAVEPOINT unit", mute=True)
_UNDO: Final = (Step("ROLLBACK TO SAVEPOINT unit", mute=True), _RELEASE)
_COMMIT: Final = Step("COMMIT", mute=True)


class Connection:
    """Runs statements in one transaction, which begins with the first of them.

    Every call raises StoreUnavailable if the database does not take or answer, RowsUnfit if it refuses the rows, and
    Contended if others hold them. `fault` keeps which, so that no unit can swallow it: the transaction has failed.
    """

    def __init__(self, driver: Driver, statements: Statements, begin: Step) -> None:
        self._driver = driver
        self._begin = begin
        self._open = False
        self.statements = statements
        self.is_committing = False
        """Whether it was told to commit: if that fails, it may have been done."""
        self.fault: Exception | None = None

    async def rows(self, statement: Executable, parameters: Mapping[str, Any]) -> list[Row]:
        """Run one statement, and return its rows."""
        (rows,) = await self.ask([Question(statement, parameters)])
        return rows

    async def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """Run some statements in one trip, and return the rows of each."""
        return await self.run([self.statements.of(one.statement).ask(one.parameters) for one in questions])

    async def look(self, lookups: Iterable[Lookup], *, first: Sequence[Step] = ()) -> None:
        """Run some steps, then ask some questions in one trip, and have learned what each wants to know."""
        asked = list(lookups)
        steps = [self.statements.of(one.question.statement).ask(one.question.parameters) for one in asked]
        answers = await self.run([*first, *steps])
        for lookup, rows in zip(asked, answers[len(first) :], strict=True):
            lookup.learn(rows)

    async def each(self, statement: Executable, rows: Sequence[Row]) -> None:
        """Run a statement for each of some rows."""
        await self.run([*self.statements.of(statement).each(rows)])

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        """Run steps in one trip, and return the rows of each."""
        if not steps:
            return []
        try:
            if self._open:
                return await self._driver.run(steps)
            self._open = True
            return (await self._driver.run([self._begin, *steps]))[1:]
        except (RowsUnfit, Contended, StoreUnavailable) as fault:
            self.fail(fault)

    async def savepoint(self) -> None:
        """Begin what can be undone without undoing what came before."""
        await self.run([_SAVEPOINT])

    async def release(self) -> None:
        """Make what was done since the savepoint part of what came before it."""
        await self.run([_RELEASE])

    async def undo(self) -> None:
        """Undo everything since the savepoint."""
        await self.run(_UNDO)

    async def commit(self, steps: Sequence[Step]) -> None:
        """Run the last steps and commit, in one trip. Without any statement there is nothing to commit."""
        if steps or self._open:
            self.is_committing = True
            await self.run([*steps, _COMMIT])
            self._open = False

    async def rollback(self) -> None:
        """End the transaction, if it is open, without a trace."""
        if self._open:
            await self._driver.rollback()

    def drop(self) -> None:
        """End a transaction that only read. Does not wait."""
        if self._open:
            self._driver.drop()

    def fail(self, fault: Exception) -> NoReturn:
        """Give the whole transaction up."""
        self.fault = fault
        raise fault
