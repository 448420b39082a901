"""Shelves: the rows that one transaction knows and wants to write, by key.

The unit under way has a layer of its own on top of what the finished units of its group left. If it succeeds, its layer
is kept for those behind it; if it fails, the layer is forgotten, and nothing was changed. What is wanted reaches the
database in bulk, when the shelves are drained.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Row = Mapping[str, Any]
"""One row of a table, by column."""


class Unknown(Enum):
    """The database has to be asked."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class Layered(Generic[K, V]):
    """What is known under each key; None where it is known that there is nothing."""

    def __init__(self) -> None:
        self._kept: dict[K, V | None] = {}
        self.own: dict[K, V | None] = {}
        """What the unit under way learned and wants; where there is nothing, there is nothing to keep."""

    def find(self, key: K) -> V | Unknown | None:
        """What is known under a key."""
        found = self.own.get(key, UNKNOWN)
        return self._kept.get(key, UNKNOWN) if found is UNKNOWN else found

    def learn(self, key: K, value: V | None) -> None:
        """Note what the database says; what units want goes before it."""
        if key not in self._kept:
            self.own.setdefault(key, value)

    def put(self, key: K, value: V | None) -> None:
        """Note what the unit under way makes of it."""
        self.own[key] = value

    def keep(self) -> None:
        """The unit under way succeeded."""
        self._kept.update(self.own)
        self.own.clear()

    def forget(self) -> None:
        """The unit under way failed."""
        self.own.clear()

    def kept(self) -> dict[K, V | None]:
        """All that is known since units finished."""
        return self._kept

    def clear(self) -> None:
        """Know nothing: rows were changed in the database itself."""
        self._kept.clear()
        self.own.clear()


@dataclass(slots=True)
class Pending(Generic[K]):
    """What the database has not been told yet: rows to remove, and rows to write with whether they are new."""

    removed: dict[K, None] = field(default_factory=dict)
    written: dict[K, bool] = field(default_factory=dict)

    def write(self, key: K, *, new: bool) -> None:
        self.written[key] = self.written.get(key, False) or new

    def remove(self, key: K) -> None:
        if not self.written.pop(key, False):
            self.removed[key] = None

    def append(self, later: Pending[K]) -> None:
        """Add what was wanted after this."""
        for key in later.removed:
            self.remove(key)
        for key, new in later.written.items():
            self.write(key, new=new)
        later.clear()

    def clear(self) -> None:
        self.removed.clear()
        self.written.clear()


@dataclass(frozen=True, slots=True)
class Wanted(Generic[K]):
    """What a shelf wants written: in this order, so that unique values can move from row to row."""

    removed: list[K]
    changed: list[Row]
    added: list[Row]


class Shelf(Layered[K, Row]):
    """The rows of one table."""

    def __init__(self) -> None:
        super().__init__()
        self._pending: Pending[K] = Pending()
        self._own_pending: Pending[K] = Pending()

    def add(self, key: K, row: Row) -> None:
        """Want a new row."""
        self.put(key, row)
        self._own_pending.write(key, new=True)

    def change(self, key: K, row: Row) -> None:
        """Want a row to be this from now on."""
        self.put(key, row)
        self._own_pending.write(key, new=False)

    def remove(self, key: K) -> None:
        """Want a row gone."""
        self.put(key, None)
        self._own_pending.remove(key)

    def is_own(self, key: K) -> bool:
        """Whether the unit under way wants this row written, and the database has not been told."""
        return key in self._own_pending.written

    def has_own(self) -> bool:
        """Whether the unit under way wants something that the database has not been told."""
        return not self.is_idle(own=True)

    def is_idle(self, *, own: bool) -> bool:
        """Whether there is nothing to drain."""
        pending = self._own_pending if own else self._pending
        return not pending.written and not pending.removed

    def keep(self) -> None:
        super().keep()
        self._pending.append(self._own_pending)

    def forget(self) -> None:
        super().forget()
        self._own_pending.clear()

    def drain(self, *, own: bool) -> Wanted[K]:
        """Hand out what is wanted by the finished units, or by the unit under way; the database has it from now on."""
        pending, rows = (self._own_pending, self.own) if own else (self._pending, self._kept)
        changed: list[Row] = []
        added: list[Row] = []
        for key, new in pending.written.items():
            row = rows[key]
            if row is not None:
                (added if new else changed).append(row)
        wanted = Wanted(list(pending.removed), changed, added)
        pending.clear()
        return wanted

    def unlearn(self, key: K) -> None:
        """Ask the database about this row again; nothing of it may be pending."""
        self._kept.pop(key, None)
        self.own.pop(key, None)
