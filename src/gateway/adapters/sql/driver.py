"""What the store asks of a database driver: statements in batches, each batch one trip.

A trip to a driver costs more than most statements: it crosses threads or a network. So the store says in one trip all
that it can say without waiting for an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Protocol

from gateway.adapters.sql.shelf import Row
from gateway.domain.errors import StoreUnavailable


class RowsUnfit(Exception):
    """Rows break a rule of the schema: another was first, or the unit is at fault."""


class Contended(Exception):
    """Others are writing what the transaction needs. Nothing was changed; run again, it may well succeed."""


class ConnectionLost(StoreUnavailable):
    """The connection broke, and with it the transaction, unless it was just being committed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement: asked once with its parameters, or, if it has `rows`, run for each of them without an answer.

    Steps that are `mute` have no rows to answer with, and no parameters but texts. Those that follow each other are run
    by the database in one go: it waits for nobody between them. Steps with `columns` only read, and answer with these:
    those that follow each other may be answered from one snapshot.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    rows: Sequence[tuple[Any, ...]] | None = None
    mute: bool = False
    columns: tuple[str, ...] = ()


class Driver(Protocol):
    """One connection to the database, outside of transactions but for those that the steps themselves begin."""

    async def run(self, steps: Sequence[Step]) -> list[list[Row]]:
        """Run steps in order, in one trip, up to the first that fails; return the rows of each.

        Raises:
            RowsUnfit: the database refuses the rows.
            Contended: others are writing the rows.
            ConnectionLost: nothing can be asked of this connection any more.
            StoreUnavailable: it does not take or answer.
        """

    async def rollback(self) -> None:
        """End the transaction, if one is open, without a trace.

        Raises:
            StoreUnavailable: it cannot be ended.
        """

    def drop(self) -> None:
        """End a transaction that only read before anything else is run. Does not wait."""

    async def end(self) -> None:
        """Close the connection, in whatever state it is."""


_ROWS_AT_ONCE: Final = 64
"""Of one insert, at most."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it, and how to pick its parameters by name. Of an insert, `values` is the part of
    its text that stands for one row: many rows then make one statement, which the database runs in one go. `columns`
    are what it answers with, if it only reads.
    """

    sql: str
    pick: Callable[[Row], tuple[Any, ...]]
    values: str = ""
    columns: tuple[str, ...] = ()
    _of_many: dict[int, str] = field(default_factory=dict)

    def ask(self, parameters: Row) -> Step:
        """Run it once, for its rows."""
        return Step(self.sql, self.pick(parameters), columns=self.columns)

    def each(self, rows: Sequence[Row]) -> Iterator[Step]:
        """Run it for each of some rows."""
        picked = [self.pick(row) for row in rows]
        if not self.values:
            yield Step(self.sql, rows=picked)
            return
        for begun in range(0, len(picked), _ROWS_AT_ONCE):
            some = picked[begun : begun + _ROWS_AT_ONCE]
            yield Step(self._text(len(some)), tuple(chain.from_iterable(some)))

    def _text(self, count: int) -> str:
        text = self._of_many.get(count)
        if text is None:
            text = self._of_many[count] = ", ".join([self.sql, *[self.values] * (count - 1)])
        return text
