"""Later versions: this one's steps, and some that a later one might add."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from gateway.adapters.sql import schema

_STEP: Final = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
{mark}


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
"""

EXPAND: Final = (
    'kind = "expand"',
    'op.add_column("sessions", sa.Column("mood", sa.String))',
    'op.drop_column("sessions", "mood")',
)
"""Adds a column that nobody needs to know."""


def contract(oldest: str) -> tuple[str, str, str]:
    """Takes a column away that versions before `oldest` need."""
    column = 'sa.Column("etag", sa.String, nullable=False, server_default="")'
    mark = f'kind = "contract"\noldest = "{oldest}"'
    return mark, 'op.drop_column("sessions", "etag")', f'op.add_column("sessions", {column})'


Becoming = Callable[[Sequence[tuple[str, str, str]]], None]
"""Makes this process a later version with so many steps more; their revisions are 9001, 9002 …"""


@pytest.fixture
def become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Becoming:
    """See `Becoming`."""
    ours, before = schema.FOLDER, schema.wanted()

    def now_of(steps: Sequence[tuple[str, str, str]]) -> None:
        folder = tmp_path / f"steps-{len(list(tmp_path.glob('steps-*')))}"
        shutil.copytree(ours, folder, ignore=shutil.ignore_patterns("__pycache__"))
        add_steps(folder, before, steps)
        monkeypatch.setattr(schema, "FOLDER", folder)

    return now_of


def add_steps(folder: Path, before: str, steps: Sequence[tuple[str, str, str]]) -> None:
    """Write further steps behind the last one of a folder."""
    for number, (mark, up, down) in enumerate(steps, 9001):
        text = _STEP.format(revision=number, before=before, mark=mark, up=up, down=down)
        (folder / "versions" / f"{number}_later.py").write_text(text)
        before = str(number)
