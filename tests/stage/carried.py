"""Sessions that were linked in an embedded installation, carried into the database of a fleet."""

from __future__ import annotations

from pathlib import Path

from tests.stage.children import child
from tests.stage.programs import built, installed


async def carry(data: Path, database: str, log: Path) -> None:
    """Carry all sessions of a data folder, with their keys, into an empty database; the folder is of no use then."""
    places = ("--store.url", database, "--from", f"sqlite:///{data}/wagate.db")
    engine = ("--engine.binary", str(built("wagate-engine")))
    async with child(installed("wagate"), "migrate", *places, *engine, log=log) as carrying:
        said = [line async for line in carrying.lines()]
        assert await carrying.ended() == 0, f"nothing was carried:\n{carrying.last_words()}"
    assert b"must pair again" not in b"".join(said)
