"""A disk of the tests' own, small enough to be filled: a tmpfs in a mount namespace that ends with the test.

It needs no privilege where users may make namespaces of their own, and root elsewhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.stage.children import Child, child

_MOUNT: Final = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && echo mounted && exec cat'
_BLOCK: Final = bytes(4096)


class SmallDisk:
    """A disk mounted at `folder`, for those processes alone whose command begins with `entering`."""

    def __init__(self, keeper: int, folder: Path) -> None:
        self.folder = folder
        self.entering = ("nsenter", *_as_ourselves("--user", "--preserve-credentials"), "--mount", f"--target={keeper}")
        self._ballast = Path(f"/proc/{keeper}/root{folder.resolve()}/ballast")

    def fill(self) -> None:
        """Leave no room for anything."""
        with self._ballast.open("ab", buffering=0) as ballast:
            while _fits(ballast.fileno()):
                pass

    def make_room(self) -> None:
        """Give back all that `fill` took."""
        self._ballast.unlink(missing_ok=True)


@asynccontextmanager
async def small_disk(folder: Path, size: str = "32m") -> AsyncIterator[SmallDisk]:
    """Mount a disk of this size at a folder, while the context lasts."""
    folder.mkdir(parents=True)
    unshare = ("unshare", *_as_ourselves("--user", "--map-root-user"), "--mount")
    log = folder.with_name(folder.name + ".disk.log")
    async with child(*unshare, "sh", "-c", _MOUNT, "mount", size, folder, log=log) as keeper:
        if not await _is_mounted(keeper):
            pytest.skip("mounting a small disk needs root, or a machine where users may make namespaces")
        yield SmallDisk(keeper.process_id, folder)


async def _is_mounted(keeper: Child) -> bool:
    try:
        return await keeper.said() == b"mounted\n"
    except AssertionError:
        return False


def _as_ourselves(*options: str) -> tuple[str, ...]:
    """Options that only those need who are not root."""
    return () if os.geteuid() == 0 else options


def _fits(file: int) -> bool:
    try:
        return os.write(file, _BLOCK) > 0
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return False
        raise
