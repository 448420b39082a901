"""What the store asks of a database driver: statements in batches, each batch one trip.

A trip to a driver costs more than most statements: it crosses threads or a network. So the store says in one trip all
that it can say without waiting for an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.adapters.sql.shelf import Row


class RowsUnfit(Exception):
    """Rows break a rule of the schema: another was first, or the unit is at fault."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement: asked once with its parameters, or, if it has `rows`, run for each of them without an answer."""

    sql: str
    parameters: tuple[Any, ...] = ()
    rows: Sequence[tuple[Any, ...]] | None = None


class Driver(Protocol):
    """One connection to the database, outside of transactions but for those that the steps themselves begin."""

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        """Run steps in order, in one trip, up to the first that fails; return the rows of each.

        Raises:
            RowsUnfit: the database refuses the rows.
            StoreUnavailable: it does not take or answer.
        """

    async def rollback(self) -> None:
        """End the transaction, if one is open, without a trace.

        Raises:
            StoreUnavailable: it cannot be ended.
        """

    def drop(self) -> None:
        """End a transaction that only read before anything else is run. Does not wait."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it, and how to pick its parameters by name."""

    sql: str
    pick: Callable[[Row], tuple[Any, ...]]

    def ask(self, parameters: Row) -> Step:
        """Run it once, for its rows."""
        return Step(self.sql, self.pick(parameters))

    def each(self, rows: Sequence[Row]) -> Step:
        """Run it for each of some rows."""
        return Step(self.sql, rows=[self.pick(row) for row in rows])
