"""Between two commits: what the engine has decrypted, and the gateway has not stored yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

from tests.stage.gateway import Gateway
from tests.stage.waiting import eventually


@contextmanager
def commits_held(database: Path) -> Iterator[None]:
    """Let nobody write to a database."""
    with closing(connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def decrypted(gateway: Gateway, session_uid: str, *, count: int = 1) -> None:
    """Wait until so many messages of a session are decrypted, and nobody has said that they are stored."""
    await eventually(lambda: kept_plaintexts(gateway, session_uid) >= count)


def kept_plaintexts(gateway: Gateway, session_uid: str) -> int:
    """How many messages lie decrypted beside a session's ratchets."""
    (store,) = gateway.folder.glob(f"data/**/{session_uid}.db")
    with closing(connect(f"file:{store}?mode=ro", uri=True, timeout=10)) as connection:
        asked = "SELECT count(*) FROM whatsmeow_event_buffer WHERE plaintext IS NOT NULL"
        (count,) = connection.execute(asked).fetchone()
    return int(count)
