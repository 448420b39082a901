"""The data folder: one process at a time works in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = "lock"


class FolderTaken(Exception):
    """Another process works in this data folder."""


class FolderUnusable(Exception):
    """The data folder cannot be made or written."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[Path]:
    """Make the folder if it is missing (0700), and hold it until the end of the context, or of the process.

    Raises:
        FolderTaken: another process holds it; the message is a sentence for people.
        FolderUnusable: it cannot be made or written; so is this one.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderUnusable(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    try:
        _take(lock, folder)
        yield folder
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
        raise FolderTaken(
            f"Another wagate (process {holder}) works in {folder}: stop it first, or use another data folder."
        ) from error
    with suppress(OSError):  # on a full disk the folder is ours without our name on it
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
