"""Every step says what it does to versions that run, and does no more than that."""

from __future__ import annotations

import re
from io import StringIO
from typing import Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script

from gateway.adapters.sql.schema import all_steps, is_whole

ADDING: Final = (
    r"CREATE TABLE \w+ ",
    r"ALTER TABLE \w+ ADD COLUMN \w+ (?!.*\b(UNIQUE|REFERENCES|CHECK)\b)(?=.*DEFAULT|(?!.*NOT NULL))",
    r"CREATE INDEX (CONCURRENTLY )?(IF NOT EXISTS )?\w+ ON ",
    r"DROP INDEX CONCURRENTLY IF EXISTS ",
    r"COMMENT ON ",
)
"""Statements that a running older version does not notice. A column is nullable or has a default, and binds nobody; an
index forbids nothing.
"""
GROWING: Final = frozenset({"messages", "events", "receipts", "identities", "identity_aliases", "request_ids"})
"""Tables that may be so large that nobody can wait until they are read."""
FIRST_WITH_COMPANY: Final = "0003"
"""Before this step no two processes ever ran on one database."""

STEPS: Final = all_steps()
EXPANDING: Final = [step for step in STEPS if step.module.kind == "expand"]


def statements_of(step: Script) -> list[str]:
    """What a step tells PostgreSQL, each in one line."""
    written = StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "transactional_ddl": False}
    )
    with Operations.context(context):
        step.module.upgrade()
    return [" ".join(one.split()) for one in written.getvalue().split(";") if one.strip()]


def made_in(statements: list[str]) -> set[str]:
    """The tables that statements make."""
    return {words.split()[2] for words in statements if words.startswith("CREATE TABLE ")}


def breaking(statements: list[str]) -> list[str]:
    """Statements that do more than add. On a table of their own they may do all."""
    own = made_in(statements)
    return [one for one in statements if not any(re.match(form, one) for form in ADDING) and not concerns(one, own)]


def waiting(statements: list[str]) -> list[str]:
    """Statements that keep writers of a large table waiting while it is read."""
    found = [(one, re.match(r"CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?\w+ ON (\w+)", one)) for one in statements]
    return [one for one, index in found if index and index[1] in GROWING - made_in(statements)]


def concerns(statement: str, tables: set[str]) -> bool:
    """Whether a statement is about one of some tables alone."""
    named = re.match(r"(?:CREATE UNIQUE INDEX \w+ ON|INSERT INTO|UPDATE|ALTER TABLE) (\w+)", statement)
    return named is not None and named[1] in tables


def test_steps_are_numbers_in_a_row() -> None:
    assert [step.revision for step in STEPS] == [f"{number:04}" for number in range(1, len(STEPS) + 1)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.revision)
def test_every_step_says_whether_it_adds_or_takes_away(step: Script) -> None:
    assert step.module.kind in ("expand", "contract")
    if step.module.kind == "contract":
        assert "0001" < step.module.oldest <= step.revision


@pytest.mark.parametrize("step", EXPANDING, ids=lambda step: step.revision)
def test_a_step_that_expands_does_nothing_that_a_running_version_would_notice(step: Script) -> None:
    """A step that does more says why nobody notices; the two versions that run side by side are the proof of it."""
    reason = getattr(step.module, "unnoticed", "")
    assert bool(breaking(statements_of(step))) is bool(reason)


@pytest.mark.parametrize(
    "step", [step for step in STEPS if step.revision >= FIRST_WITH_COMPANY], ids=lambda s: s.revision
)
def test_a_step_keeps_no_writer_of_a_large_table_waiting(step: Script) -> None:
    statements = statements_of(step)
    assert waiting(statements) == []
    assert is_whole(step) is not any("CONCURRENTLY" in one for one in statements)


NOTICED: Final = (
    "ALTER TABLE sessions DROP COLUMN etag",
    "ALTER TABLE sessions ADD COLUMN mood TEXT NOT NULL",
    "ALTER TABLE sessions ADD COLUMN mood TEXT UNIQUE",
    "ALTER TABLE sessions ADD COLUMN mood TEXT DEFAULT '' CHECK (mood != 'bad')",
    "ALTER TABLE sessions ALTER COLUMN etag TYPE BYTEA",
    "ALTER TABLE sessions ALTER COLUMN etag SET NOT NULL",
    "ALTER TABLE sessions RENAME TO lines",
    "ALTER TABLE sessions ADD CONSTRAINT one UNIQUE (etag)",
    "CREATE UNIQUE INDEX one ON sessions (etag)",
    "DROP TABLE sessions",
    "DROP INDEX sessions_live",
    "UPDATE sessions SET etag = ''",
    "DELETE FROM sessions",
)


@pytest.mark.parametrize("statement", NOTICED)
def test_what_would_be_noticed_is_found(statement: str) -> None:
    assert breaking([statement]) == [statement]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE sessions ADD COLUMN mood TEXT",
        "ALTER TABLE sessions ADD COLUMN mood TEXT DEFAULT '' NOT NULL",
        "CREATE INDEX moods ON sessions (mood)",
        "CREATE INDEX CONCURRENTLY moods ON messages (mood)",
    ],
)
def test_what_only_adds_is_let_pass(statement: str) -> None:
    assert breaking([statement]) == []


def test_an_index_on_a_large_table_is_made_beside_its_writers() -> None:
    slow = "CREATE INDEX moods ON messages (mood)"
    assert waiting([slow, "CREATE INDEX CONCURRENTLY tempers ON messages (mood)"]) == [slow]
    assert waiting(["CREATE TABLE messages (mood TEXT)", slow]) == []
