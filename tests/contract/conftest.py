"""A copy of the contract that is set up and agreed, for tests to damage."""

import shutil
from pathlib import Path

import pytest

from tests.contract.checkout import ROOT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout that is set up, and whose contract is agreed as it stands."""
    for name in ("Makefile", "buf.yaml", "buf.gen.yaml", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("proto", "gen"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/stamp").touch()
    (tmp_path / "proto/contract.binpb").unlink(missing_ok=True)
    fresh = Checkout(tmp_path)
    agreed = fresh.make("contract")
    assert agreed.returncode == 0, agreed.stdout
    return fresh
