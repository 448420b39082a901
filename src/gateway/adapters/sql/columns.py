"""Columns: the few kinds that tables are made of, and conditions on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    ScalarSelect,
    Select,
    String,
    bindparam,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
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


class Listed(list[Any]):
    """Values as one parameter; each driver writes them down in its own way."""

    def __conform__(self, _protocol: object) -> str:
        """How SQLite takes it: as JSON."""
        return orjson.dumps(self).decode()


class Among(ColumnElement[bool]):
    """Whether a column is one of the values in a parameter."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002
        """Itself: SQLite would be asked whether it equals 1, and then looks at every row."""
        return self


class AmongThose(ColumnElement[bool]):
    """Whether a column is one of those that a select finds."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], found: ScalarSelect[Any]) -> None:
        self.column = column
        self.found = found


class EachOf(FunctionElement[Any]):
    """The values in a parameter, as rows of `value`."""

    inherit_cache = False
    name = "each_of"


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """One of a list of values, bound as one parameter: so the statement is the same for every list."""
    kind = BigInteger() if isinstance(column.type, Integer) else String()
    return Among(column, bindparam(parameter, type_=ARRAY(kind)))


def among_those(column: ColumnElement[Any], found: Select[Any]) -> ColumnElement[bool]:
    """One of those that a select finds, which is run first, whatever a planner thinks of the tables."""
    return AmongThose(column, found.scalar_subquery())


def each_of(parameter: str) -> TableValuedAlias:
    """The values of a list of text, bound as one parameter: rows of `value`."""
    return EachOf(bindparam(parameter, type_=ARRAY(String))).table_valued("value")


def listed(values: Iterable[str | int]) -> Listed:
    """A list as `among` and `each_of` take it."""
    return Listed(values)


@compiles(Among)
def _among(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # both are what the compiler wrote


@compiles(Among, "postgresql")
def _among_of_array(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = compiler.process(element.column, **options), compiler.process(element.values, **options)
    return f"{column} = ANY ({values})"


@compiles(AmongThose)
def _among_those(element: AmongThose, compiler: SQLCompiler, **options: Any) -> str:
    column, found = compiler.process(element.column, **options), compiler.process(element.found, **options)
    return f"{column} IN {found}"


@compiles(AmongThose, "postgresql")
def _among_those_of_array(element: AmongThose, compiler: SQLCompiler, **options: Any) -> str:
    column, found = compiler.process(element.column, **options), compiler.process(element.found, **options)
    return f"{column} = ANY (ARRAY{found})"


@compiles(EachOf)
def _each_of(element: EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.process(element.clause_expr, **options)}"


@compiles(EachOf, "postgresql")
def _each_of_array(element: EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest{compiler.process(element.clause_expr, **options)} AS value)"
