"""The schema: how far a database has been migrated, how far this version wants it, and who gets along with it.

Steps that only add leave running older versions at work; a step that takes something away names the oldest schema whose
version does without it. The database keeps that name, so that an older version which comes later knows not to start.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER: Final = Path(__file__).parent / "migrations"


class Fit(Enum):
    """How a database's schema suits this version."""

    EXACT = "exact"
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
        if self.at < wanted():
            return Fit.BEHIND
        if self.oldest > wanted():
            return Fit.TOO_NEW
        return Fit.EXACT if self.at == wanted() else Fit.AHEAD


def schema_over(connection: Connection) -> Schema:
    """The schema of the database at the other end of a connection."""
    return Schema(at=MigrationContext.configure(connection).get_current_revision() or "")


def steps() -> ScriptDirectory:
    """All steps that this version knows."""
    return _steps_in(FOLDER)


@cache
def wanted() -> str:
    """Where this version wants a database to be."""
    return steps().get_current_head() or ""


def config_of(folder: Path) -> Config:
    """What Alembic wants to be told of a folder of steps."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


@cache
def _steps_in(folder: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(config_of(folder))
