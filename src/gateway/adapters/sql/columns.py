"""Columns: the few kinds that tables are made of, and conditions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    String,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import TableValuedAlias

from gateway.domain.messages import UNSENT

TEXT: Final = String().with_variant(String(collation="C"), "postgresql")
"""Ordered by its bytes, whatever language the database speaks."""
COUNTED: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only a column of exactly this type by itself."""


def text(name: str) -> Column[str]:
    """Text, empty where there is none."""
    return Column(name, TEXT, nullable=False, server_default="")


def number(name: str, default: str = "0") -> Column[int]:
    """A number, or an enum's."""
    return Column(name, BigInteger, nullable=False, server_default=default)


def moment(name: str) -> Column[int]:
    """A moment."""
    return Column(name, BigInteger, nullable=False)


def moment_if_any(name: str) -> Column[int]:
    """A moment that may be absent."""
    return Column(name, BigInteger, nullable=True)


def bytes_if_any(name: str) -> Column[bytes]:
    """Bytes that may be absent."""
    return Column(name, LargeBinary, nullable=True)


def tenant() -> Column[str]:
    """Whose row it is."""
    return Column("tenant_id", TEXT, nullable=False)


def is_set(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Not empty. Written out, not bound: a partial index serves only queries that repeat its words."""
    return column != literal_column("''", String)


def is_unsent(state: ColumnElement[int]) -> ColumnElement[bool]:
    """A state of the outbox; written out, as above."""
    return one_of(state, UNSENT)


def one_of(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """One of some numbers that are known before; written out, as above."""
    return column.in_([literal_column(str(number), BigInteger) for number in sorted(numbers)])


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """One of a list of values, bound as one parameter of JSON: so the statement is the same for every list."""
    return column.in_(select(func.json_each(bindparam(parameter)).table_valued("value").c.value))


def listed(values: Iterable[str | int]) -> str:
    """A list as `among` takes it."""
    return orjson.dumps(list(values)).decode()


def numbered(parameter: str) -> TableValuedAlias:
    """Keys, each with a number, bound as one parameter of JSON: rows of `key` and `value`."""
    return func.json_each(bindparam(parameter)).table_valued("key", "value")


def pairs(numbers: Mapping[str, int]) -> str:
    """Keys and numbers as `numbered` takes them."""
    return orjson.dumps(numbers, option=orjson.OPT_SORT_KEYS).decode()
