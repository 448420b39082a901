"""The programs that tests start, as `make build` and `make setup` leave them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built(name: str) -> Path:
    """The program of this name in build/."""
    return _present(ROOT / "build" / name, "make build")


def foreign(name: str) -> Path:
    """The folder of this name in build/, with a client that others made."""
    return _present(ROOT / "build" / name, "make foreign")


def installed(name: str) -> Path:
    """The command of this name beside the Python that runs the tests."""
    return _present(Path(sys.executable).parent / name, "make setup")


def _present(program: Path, maker: str) -> Path:
    if not program.exists():
        pytest.fail(f"{program} is not there: run `{maker}` first", pytrace=False)
    return program
