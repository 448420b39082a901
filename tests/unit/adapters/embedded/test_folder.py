from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.embedded.folder import FolderTaken, FolderUnusable, locked_folder

HOLD = """
import pathlib, sys
from gateway.adapters.embedded.folder import locked_folder
with locked_folder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with locked_folder(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o600


def test_a_second_process_is_refused_with_a_sentence_until_the_first_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FolderTaken, match=f"process {other.pid}.*stop it first"), locked_folder(tmp_path):
            pass
        other.kill()
        other.wait()
    with locked_folder(tmp_path):
        pass


def test_the_folder_is_free_again_after_its_context(tmp_path: Path) -> None:
    for _ in range(2):
        with locked_folder(tmp_path):
            pass


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FolderUnusable, match="cannot be used: Not a directory"),
        locked_folder(tmp_path / "file" / "data"),
    ):
        pass
