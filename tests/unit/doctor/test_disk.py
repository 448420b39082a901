"""The data folder is ours alone, can be written, and has room."""

from __future__ import annotations

from pathlib import Path

from gateway.doctor.disk import LITTLE, TOO_LITTLE, disk, file_system_of, kind, room
from gateway.doctor.findings import Finding, Level
from gateway.settings import Settings
from tests.unit.doctor.conftest import With

MOUNTS = """\
/dev/root / ext4 rw 0 0
box:/share /srv/with\\040space nfs4 rw 0 0
tmpfs /srv/with\\040space/deep tmpfs rw 0 0
"""


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in await disk(settings)}


async def test_a_folder_of_our_own_is_fine(settings_with: With, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    findings = await found(settings_with())
    assert {findings[check].level for check in ("disk.owner", "disk.rights")} == {Level.OK}


async def test_a_folder_that_others_may_enter_is_a_problem(settings_with: With, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o750)
    finding = (await found(settings_with()))["disk.rights"]
    assert finding.level is Level.PROBLEM
    assert finding.advice.endswith(f"chmod 700 {tmp_path}/data")


async def test_a_folder_that_will_be_made_is_fine(settings_with: With) -> None:
    assert (await found(settings_with()))["disk.folder"].level is Level.OK


async def test_a_folder_that_cannot_be_made_is_a_problem(settings_with: With, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    findings = await found(settings_with(data={"folder": str(tmp_path / "file" / "data")}))
    assert findings["disk.folder"].level is Level.PROBLEM


async def test_a_file_in_place_of_the_folder_is_a_problem(settings_with: With, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert (await found(settings_with()))["disk.folder"].level is Level.PROBLEM


def test_room_is_judged_by_what_is_free() -> None:
    levels = [room("disk.room", "here", free).level for free in (TOO_LITTLE - 1, TOO_LITTLE, LITTLE)]
    assert levels == [Level.PROBLEM, Level.WARNING, Level.OK]


def test_a_folder_is_on_what_is_mounted_nearest_above_it() -> None:
    def on(folder: str) -> str:
        return file_system_of(Path(folder), MOUNTS)

    assert [on("/srv"), on("/srv/with space/data"), on("/srv/with space/deep/data")] == ["ext4", "nfs4", "tmpfs"]


def test_disks_that_are_far_or_forget_are_warned_of() -> None:
    assert [kind(name).level for name in ("ext4", "nfs4", "tmpfs")] == [Level.OK, Level.WARNING, Level.WARNING]
