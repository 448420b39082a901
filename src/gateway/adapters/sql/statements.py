"""Statements: built by SQLAlchemy, compiled once per process, and run by the driver as they are."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Dialect, Executable, SelectBase, Table, bindparam, update
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from gateway.adapters.sql import tables
from gateway.adapters.sql.driver import Prepared
from gateway.adapters.sql.idioms import Idiom
from gateway.adapters.sql.shelf import Row

MARK: Final = "row_"
"""Sets the names of parameters apart from those of columns."""
_VALUES: Final = " VALUES "


class Statements:
    """All statements in the idiom of one database."""

    def __init__(self, idiom: Idiom) -> None:
        self.idiom = idiom
        self._prepared: dict[Executable, Prepared] = {}
        self.sessions = idiom.bulk(tables.sessions, ("uid",), ("tenant_id", "session_id", "create_time"))
        self.leases = idiom.bulk(tables.leases, ("session_uid",), ("tenant_id",))
        self.messages = idiom.bulk(tables.messages, ("message_id",), ("tenant_id", "create_time"))
        self.receipts = idiom.bulk(tables.receipts, ("message_id", "participant_id"), ("tenant_id",))
        self.identities = idiom.bulk(tables.identities, ("tenant_id", "identity_id"), ("create_time",))
        self.aliases = idiom.bulk(tables.identity_aliases, ("tenant_id", "alias_id"))
        self.requests = idiom.bulk(tables.request_ids, ("tenant_id", "rpc", "session_id", "request_id"))
        self.nameless = prepare(idiom.dialect, _nameless())

    def of(self, statement: Executable) -> Prepared:
        """A statement that lives as long as the process, in this dialect."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = prepare(self.idiom.dialect, statement)
        return prepared


def written(table: Table) -> list[str]:
    """All columns but those that the database counts, or that are counted by statements of their own."""
    counted = {table.autoincrement_column, table.c.get("next_sequence")}
    return [column.name for column in table.c if column not in counted]


def _nameless() -> Executable:
    """Take the unique names from identities, so that names can move between rows of one bulk."""
    found = [tables.identities.c[name] == bindparam(MARK + name) for name in ("tenant_id", "identity_id")]
    return update(tables.identities).values(lid="", phone_number="").where(*found)


def prepare(dialect: Dialect, statement: Executable) -> Prepared:
    """A statement as the driver takes it."""
    if not isinstance(statement, ClauseElement):
        raise TypeError("only what SQLAlchemy builds can be compiled")
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None:
        raise TypeError("the dialect does not number its parameters")
    given = {_plain(name): value for name, value in compiled.params.items() if value is not None}
    names = [_plain(name) for name in compiled.positiontup]
    return Prepared(str(compiled), _picker(names, given), _values_of(str(compiled)), _columns_of(statement))


def _columns_of(statement: ClauseElement) -> tuple[str, ...]:
    """What it answers with, if it only reads."""
    return tuple(statement.selected_columns.keys()) if isinstance(statement, SelectBase) else ()


def _values_of(sql: str) -> str:
    """What stands for one row in an insert of values; empty in any other statement."""
    _, found, values = sql.partition(_VALUES)
    return values if found and sql.startswith("INSERT") else ""


def _plain(name: str) -> str:
    return name.removeprefix(MARK)


def _picker(names: list[str], given: dict[str, Any]) -> Callable[[Row], tuple[Any, ...]]:
    """Pick the parameters of a statement by name; `given` are the values that the statement itself brings."""
    if given:
        return lambda row: tuple(given[name] if name in given else row[name] for name in names)
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names) if names else lambda _row: ()
