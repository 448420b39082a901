"""Lookups: what to ask the database, and who learns from the answer. Many of them make one trip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable

from gateway.adapters.sql.columns import listed
from gateway.adapters.sql.shelf import UNKNOWN, Row, Shelf


@dataclass(frozen=True, slots=True)
class Question:
    """A statement, and its parameters by name."""

    statement: Executable
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question, and who learns from the answer."""

    question: Question
    learn: Callable[[list[Row]], None]


def by_key(shelf: Shelf[str], statement: Executable, column: str, keys: Iterable[str]) -> list[Lookup]:
    """What to ask for the rows that a shelf does not know yet; `statement` finds rows by a list called `keys`."""
    asked = [key for key in keys if shelf.find(key) is UNKNOWN]

    def learn(rows: list[Row]) -> None:
        for row in rows:
            shelf.learn(row[column], row)
        for key in asked:
            shelf.learn(key, None)

    return [Lookup(Question(statement, {"keys": listed(asked)}), learn)] if asked else []
