"""The disk: whether the data folder can be written, by us alone, and has room."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.doctor.findings import Finding, fine, problem, warning
from gateway.settings import Settings

_MIB: Final = 1024**2
TOO_LITTLE: Final = 256 * _MIB
"""Free bytes below which writing may fail any minute."""
LITTLE: Final = 1024 * _MIB
_FAR: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"})
"""File systems on which SQLite's shared memory, and locks, cannot be relied on."""
_FLEETING: Final = frozenset({"tmpfs", "ramfs"})
_OURS_ALONE: Final = 0o077


async def disk(settings: Settings) -> list[Finding]:
    """Look at the data folder."""
    folder = settings.data.folder.resolve()
    try:
        return [*_folder(folder), *_room(folder), *_kind(folder)]
    except OSError as error:
        said = f"{folder} cannot be looked at: {error.strerror}."
        return [problem("disk.folder", said, "Run the doctor as the user who runs the gateway.")]


def room(check: str, what: str, free: int) -> Finding:
    """Judge how many bytes are free."""
    said = f"{free // _MIB:,} MiB are free {what}."
    advice = "Make room, or move the data folder to a larger disk: on a full one nothing is accepted."
    if free < TOO_LITTLE:
        return problem(check, said, advice)
    return warning(check, said, advice) if free < LITTLE else fine(check, said)


def kind(file_system: str) -> Finding:
    """Judge the file system of a data folder."""
    check, said = "disk.kind", f"The data folder is on {file_system or 'a file system of unknown kind'}."
    if file_system in _FAR:
        return warning(check, said, "Move it to a disk of this machine: a database across a network can be damaged.")
    if file_system in _FLEETING:
        return warning(
            check, said, "Move it to a disk: all that it holds, keys too, is gone when the machine restarts."
        )
    return fine(check, said)


def file_system_of(folder: Path, mounts: str) -> str:
    """The kind of file system that a folder is on, by the kernel's list of mounts; empty if that does not tell."""
    found = ("", "")
    for line in mounts.splitlines():
        _, place, name, *_ = line.split()
        place = place.replace("\\040", " ")
        if folder.is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, name)
    return found[1]


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield _missing(folder)
        return
    about = folder.stat()
    if about.st_uid != os.geteuid():
        said = f"{folder} belongs to another user (number {about.st_uid}) than the one who asks."
        yield problem("disk.owner", said, "Run gateway and doctor as the user to whom the data folder belongs.")
    elif not os.access(folder, os.W_OK | os.X_OK):
        said = f"{folder} cannot be written."
        yield problem("disk.owner", said, f"Let its owner write it: chmod 700 {folder}")
    else:
        yield fine("disk.owner", f"{folder} is ours and can be written.")
    yield _rights(folder, about.st_mode)


def _missing(folder: Path) -> Finding:
    parent = _nearest(folder)
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return fine("disk.folder", f"{folder} is not there yet, and is made at the first start.")
    said = f"{folder} is not there, and cannot be made at {parent}."
    return problem("disk.folder", said, "Make it, for the gateway's user alone, or set data.folder.")


def _rights(folder: Path, mode: int) -> Finding:
    if not mode & _OURS_ALONE:
        return fine("disk.rights", "Nobody else can enter the data folder.")
    said = f"Other users of this machine can enter {folder} (its rights are {stat.S_IMODE(mode):04o})."
    return problem("disk.rights", said, f"It holds messages and keys, so take the rights away: chmod 700 {folder}")


def _room(folder: Path) -> Iterator[Finding]:
    disk_of = os.statvfs(_nearest(folder))
    yield room("disk.room", f"for {folder}", disk_of.f_bavail * disk_of.f_frsize)
    if disk_of.f_files and not disk_of.f_favail:
        yield problem("disk.files", f"No file can be made at {folder}: no inode is free.", "Remove files there.")


def _kind(folder: Path) -> Iterator[Finding]:
    yield kind(file_system_of(_nearest(folder), Path("/proc/self/mounts").read_text(errors="replace")))


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())
