"""What differs between databases: how rows are written in bulk, how the log is, and how connections are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Dialect, Table

from gateway.adapters.sql.driver import Driver, Step
from gateway.adapters.sql.shelf import Row


class ForEach(Protocol):
    """What is done with each of some rows."""

    def each(self, rows: Sequence[Row]) -> Iterator[Step]:
        """The steps that do it."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """How rows of one table are written."""

    insert: ForEach
    update: ForEach
    delete: ForEach


class Idiom(Protocol):
    """How a database is spoken to."""

    dialect: Dialect
    begin_writing: Step
    begin_briefly: Step
    """The same, without waiting for others for longer than they write, as a rule."""
    begin_reading: Step
    alone: Sequence[Step]
    """What makes a transaction the only one that did it, until its end."""

    def bulk(self, table: Table, key: Sequence[str], fixed: Sequence[str] = ()) -> Bulk:
        """How rows of a table are written, found by their key; `fixed` columns are never updated."""

    def hold(self, uids: Iterable[str], names: Iterable[tuple[str, str]], *, at_once: bool) -> Sequence[Step]:
        """The steps that lock the rows of some sessions until the end, where others write, too: in the order of their
        uids, and `at_once` or not at all. `gateway.adapters.sql.guard` then reads which they are.
        """

    def log_steps(self, told: list[dict[str, Any]]) -> list[Step]:
        """The steps that number and write events, each a row of `events` but for its numbers."""


class Database(Protocol):
    """Where a store lies."""

    idiom: Idiom
    readers: int
    """How many connections read at once."""
    is_shared: bool
    """Whether others write, too. If not, what was read within a transaction that writes is true until this process
    changes it; if so, a unit that writes locks what it reads, and the log is written last of all.
    """

    async def writing(self) -> Driver:
        """A connection that may change everything.

        Raises:
            StoreUnavailable: there is none to be had.
        """

    async def reading(self) -> Driver:
        """A connection that only reads.

        Raises:
            StoreUnavailable: there is none to be had.
        """

    async def moment(self, driver: Driver) -> datetime:
        """The moment by the database's clock."""

    async def fate_of(self, driver: Driver, xact: str) -> bool | None:
        """Whether a transaction was committed, by the database's name for it; None while it does not know.

        Raises:
            StoreUnavailable: it does not answer, or does not know any more.
        """
