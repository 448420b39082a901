"""Our command, run to its end."""

from __future__ import annotations

from pathlib import Path

from tests.stage.children import child
from tests.stage.programs import installed


async def told(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `wagate` with these arguments, run in the folder `work` of a folder."""
    work, log = folder / "work", folder / "log"
    work.mkdir(exist_ok=True)
    log.write_bytes(b"")
    async with child("env", "-C", work, installed("wagate"), *arguments, log=log) as command:
        said = b"".join([line async for line in command.lines()])
        return await command.ended(), said.decode(), log.read_text()
