"""Other versions of the gateway, as folders from which its commands run."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

from gateway.adapters.sql.schema import wanted
from tests.stage.programs import ROOT
from tests.upgrades.later import EXPAND, add_steps

_MADE: Final = ROOT / "build" / "versions"
_CODE: Final = ("src/gateway", "gen/python")
_STEPS: Final = Path("src/gateway/adapters/sql/migrations")
NAMED: Final = Path(__file__).with_name("previous")
"""Names the commit that counts as the version before this one."""
TIDYING: Final = (
    'kind = "contract"\noldest = "9001"',
    'op.drop_column("sessions", "mood")',
    'op.add_column("sessions", sa.Column("mood", sa.String))',
)
"""Takes away what only the version of 9001 never uses."""


def running_from(folder: Path) -> dict[str, str]:
    """The environment in which our commands run the code of a folder."""
    return {"PYTHONPATH": f"{folder / 'src'}:{folder / 'gen' / 'python'}"}


def previous() -> Path:
    """The version of the commit that is named; skips the test where the clone does not reach so far back."""
    commit = NAMED.read_text().strip()
    folder = _MADE / commit
    if not folder.exists():
        archive = subprocess.run(["git", "archive", commit, *_CODE], cwd=ROOT, capture_output=True, check=False)
        if archive.returncode:
            pytest.skip(f"the clone does not reach back to {commit}: {archive.stderr.decode().strip()}")
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
    return folder


def later() -> Path:
    """This version with two steps more: one that adds, 9001, and one that takes away what versions before that need."""
    folder = _MADE / "later"
    shutil.rmtree(folder, ignore_errors=True)
    for part in _CODE:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    add_steps(folder / _STEPS, wanted(), [EXPAND, TIDYING])
    return folder
