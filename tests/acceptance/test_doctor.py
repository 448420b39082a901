"""`wagate doctor`, as an operator meets it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.conftest import World
from tests.stage.children import child
from tests.stage.programs import built, installed

KEY = "a-key-of-our-own-1234"


async def told(*arguments: str, folder: Path) -> tuple[int, str]:
    """Exit status and stdout of the doctor, called into a folder."""
    command: list[str | Path] = ["env", "-C", folder, installed("wagate"), "doctor", *arguments]
    async with child(*command, log=folder.parent / "log", environment={"WAGATE_ACCESS__KEY": KEY}) as doctor:
        said = b"".join([line async for line in doctor.lines()])
        return await doctor.ended(), said.decode()


async def test_the_doctor_finds_no_problem_beside_a_gateway_that_runs(own_world: World) -> None:
    folder = own_world.gateway.folder
    engine = ("--engine.binary", str(built("wagate-engine")))
    status, said = await told("--json", "--data.folder", "data", *engine, folder=folder)
    findings = json.loads(said)
    assert (status, findings["healthy"]) == (0, True)
    subjects = {finding["check"].partition(".")[0] for finding in findings["findings"]}
    assert subjects == {"versions", "settings", "disk", "clock", "database", "queue", "engine"}
    await own_world.shop()


async def test_the_doctor_says_what_to_do_and_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "data").mkdir()
    (folder / "data").chmod(0o755)
    status, said = await told("--engine.binary", "none", "--data.folder", "data", folder=folder)
    assert status == 1
    assert f"→ It holds messages and keys, so take the rights away: chmod 700 {folder}/data" in said
    assert "→ Build it with `make build`, or set engine.binary." in said
    assert "2 problems" in said
    assert KEY not in said


async def test_settings_that_cannot_be_used_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    status, said = await told("--leases.ttl", "15", folder=tmp_path / "home")
    assert status == 1
    assert "PROBLEM  leases.ttl should be a span with its unit" in said
