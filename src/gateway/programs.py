"""Programs: where those of ours that are not Python lie."""

from __future__ import annotations

import shutil
from pathlib import Path


class ProgramMissing(Exception):
    """A program that the gateway needs is not there; the sentence says what to do."""


def find_program(said: Path | None, name: str) -> Path:
    """Find a program of ours: as said, else in `build/` of the folder we are in or of this checkout, else on the PATH.

    Raises:
        ProgramMissing: it is nowhere.
    """
    checkout = Path(__file__).parents[2]
    for place in (said,) if said else (Path("build", name), checkout / "build" / name):
        if place.is_file():
            return place.resolve()
    found = None if said else shutil.which(name)
    if found is None:
        raise ProgramMissing(f"{said or name} is not there: build it with `make build`, or say where it is.")
    return Path(found)
