"""The stores of keys that engines keep: one SQLite file per session, with a lock beside it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def kept_stores(folder: Path) -> list[str]:
    """The sessions that have a store."""
    return [store.stem for store in folder.glob("*.db")]


def erase_store(folder: Path, session_uid: str) -> bool:
    """Remove a session's store; False, and nothing is removed, while an engine has it open."""
    lock = os.open(folder / f"{session_uid}.db.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        for left in folder.glob(f"{session_uid}.*"):
            left.unlink(missing_ok=True)
        return True
    finally:
        os.close(lock)
