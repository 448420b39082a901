"""The schema: how far a database has been migrated, how far this version wants it, and who gets along with it.

A step that only adds (`kind = "expand"`) leaves running older versions at work. One that takes something away
(`kind = "contract"`) names the `oldest` schema whose version does without it, and the database keeps that name, so that
an older version which comes later knows not to start. docs/upgrades.md has the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Column, Connection, Table, delete, insert, inspect, select

from gateway.adapters.sql.columns import TEXT
from gateway.adapters.sql.tables import metadata
from gateway.ports.processes import SchemaUnfit
from gateway.version import VERSION

FOLDER: Final = Path(__file__).parent / "migrations"

schema_floor: Final = Table("schema_floor", metadata, Column("oldest", TEXT, primary_key=True))
"""One row: the oldest schema whose version gets along with the database as it is."""


class Fit(Enum):
    """How a database's schema suits this version."""

    EXACT = "exact"
    NOT_TIDY = "not tidy"
    """It has all that this version needs, and some that nobody needs once no older version runs."""
    AHEAD = "ahead"
    """A later version migrated it, and left all that this version needs."""
    BEHIND = "behind"
    """`wagate migrate` has something to do."""
    TOO_NEW = "too new"
    """A later version took away what this version needs."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a database is. Revisions are numbers of four digits, in the order in which they are applied; `at` is empty
    while there are no tables, and `oldest` while nothing was taken away.
    """

    at: str
    oldest: str = ""

    @property
    def fit(self) -> Fit:
        """How it suits this version."""
        if self.at < needed():
            return Fit.BEHIND
        if self.oldest > wanted():
            return Fit.TOO_NEW
        if self.at < wanted():
            return Fit.NOT_TIDY
        return Fit.EXACT if self.at == wanted() else Fit.AHEAD

    def must_fit(self) -> None:
        """Raise SchemaUnfit, with what to do, unless this version can work with it."""
        said = f"The database's schema is {self.at or 'not there yet'}"
        match self.fit:
            case Fit.BEHIND:
                raise SchemaUnfit(f"{said}, and wagate {VERSION} needs {needed()}: run `wagate migrate`.")
            case Fit.TOO_NEW:
                raise too_new(self.oldest)


def too_new(oldest: str) -> SchemaUnfit:
    """A later version took away what this version needs."""
    wants = f"wagate {VERSION} is of schema {wanted()}"
    return SchemaUnfit(f"The database takes versions from schema {oldest} on, and {wants}: use a newer wagate.")


def schema_over(connection: Connection) -> Schema:
    """The schema of the database at the other end of a connection."""
    at = MigrationContext.configure(connection).get_current_revision() or ""
    return Schema(at, floor_over(connection))


def has_floor(connection: Connection) -> bool:
    """Whether the database has been migrated so far that it knows who gets along with it."""
    return inspect(connection).has_table(schema_floor.name)


def floor_over(connection: Connection) -> str:
    """The oldest schema whose version gets along with the database; empty if nothing says so."""
    return (connection.execute(select(schema_floor.c.oldest)).scalar() or "") if has_floor(connection) else ""


def set_floor_over(connection: Connection, at: str) -> None:
    """Note who gets along with a database that is migrated to this revision, if it keeps such notes."""
    if has_floor(connection):
        oldest = max(oldest_of(step) for step in all_steps() if step.revision <= at)
        connection.execute(delete(schema_floor))
        connection.execute(insert(schema_floor).values(oldest=oldest))


def oldest_of(step: Script) -> str:
    """The oldest schema whose version survives a step; empty if all do."""
    return str(step.module.oldest) if step.module.kind == "contract" else ""


def is_whole(step: Script) -> bool:
    """Whether a step is a transaction; one that makes an index `concurrently` is none on PostgreSQL."""
    return not getattr(step.module, "concurrently", False)


def all_steps() -> Sequence[Script]:
    """All steps that this version knows, from the first on."""
    return _steps_in(FOLDER)


def wanted() -> str:
    """Where this version wants a database to be."""
    return all_steps()[-1].revision


def needed() -> str:
    """How far a database must be migrated for this version to work: steps that take something away may come later."""
    return max(step.revision for step in all_steps() if step.module.kind == "expand")


def order() -> Config:
    """What Alembic wants to be told of the steps."""
    return _config_of(FOLDER)


@cache
def _steps_in(folder: Path) -> Sequence[Script]:
    return tuple(ScriptDirectory.from_config(_config_of(folder)).walk_revisions())[::-1]


def _config_of(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config
