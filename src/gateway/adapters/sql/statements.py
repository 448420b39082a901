"""The statements of bulk writes, compiled once per process: a group's rows go straight to the driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Dialect, Table, bindparam, delete, insert, update
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

from gateway.adapters.sql import tables
from gateway.adapters.sql.shelf import Row

_MARK: Final = "row_"
"""Sets the names of parameters apart from those of columns."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One statement, and how to pick its parameters from a row."""

    sql: str
    pick: Callable[[Row], tuple[Any, ...]]


class Bulk:
    """Inserts, updates and deletes rows of one table; `fixed` columns are never updated."""

    def __init__(self, dialect: Dialect, table: Table, key: Sequence[str], fixed: Sequence[str] = ()) -> None:
        counted = table.autoincrement_column
        found = [table.c[name] == bindparam(_MARK + name) for name in key]
        values: dict[str, BindParameter[Any]] = {
            c.name: bindparam(_MARK + c.name) for c in table.c if c is not counted and c.name not in _GIVEN
        }
        changes = {name: value for name, value in values.items() if name not in key and name not in fixed}
        self.insert = _prepare(dialect, insert(table).inline().values(values))
        self.update = _prepare(dialect, update(table).values(changes).where(*found))
        self.delete = _prepare(dialect, delete(table).where(*found))


_GIVEN: Final = frozenset({"next_sequence"})
"""Columns that begin with their default and are counted by statements of their own."""


class Statements:
    """All bulk statements in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.sessions = Bulk(dialect, tables.sessions, ("uid",), ("tenant_id", "session_id", "create_time"))
        self.leases = Bulk(dialect, tables.leases, ("session_uid",), ("tenant_id",))
        self.messages = Bulk(dialect, tables.messages, ("message_id",), ("tenant_id", "create_time"))
        self.receipts = Bulk(dialect, tables.receipts, ("message_id", "participant_id"), ("tenant_id",))
        self.identities = Bulk(dialect, tables.identities, ("tenant_id", "identity_id"), ("create_time",))
        self.aliases = Bulk(dialect, tables.identity_aliases, ("tenant_id", "alias_id"))
        self.requests = Bulk(dialect, tables.request_ids, ("tenant_id", "rpc", "session_id", "request_id"))
        self.events = Bulk(dialect, tables.events, ("position",))
        self.count_sessions = _count(dialect, tables.sessions, "uid")
        self.count_tenants = _count(dialect, tables.tenant_sequences, "tenant_id")
        self.begin_counting = _prepare(
            dialect,
            insert(tables.tenant_sequences)
            .inline()
            .values({name: bindparam(_MARK + name) for name in ("tenant_id", "next_sequence")}),
        )
        self.unname = _unname(dialect)


def _count(dialect: Dialect, table: Table, key: str) -> Prepared:
    counted = update(table).values(next_sequence=bindparam(_MARK + "next_sequence"))
    return _prepare(dialect, counted.where(table.c[key] == bindparam(_MARK + key)))


def _unname(dialect: Dialect) -> Prepared:
    """Take the unique names from identities, so that names can move between rows of one bulk."""
    nameless = update(tables.identities).values(
        lid=bindparam(_MARK + "no_name"), phone_number=bindparam(_MARK + "no_name")
    )
    found = [tables.identities.c[name] == bindparam(_MARK + name) for name in ("tenant_id", "identity_id")]
    return _prepare(dialect, nameless.where(*found))


def _prepare(dialect: Dialect, statement: UpdateBase) -> Prepared:
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("the dialect does not speak SQL")
    names = [name.removeprefix(_MARK) for name in compiled.positiontup or ()]
    return Prepared(str(compiled), itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],))
