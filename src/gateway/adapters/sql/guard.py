"""The guard: where several processes write, whoever writes for a session holds its row until the commit."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.shelf import Shelf


class Guard:
    """Of one transaction."""

    def __init__(self, connection: Connection, sessions: Shelf[str], *, is_needed: bool) -> None:
        self._connection = connection
        self._sessions = sessions
        self.is_needed = is_needed

    async def hold(self, session_uids: Iterable[str]) -> None:
        """Hold the rows of these sessions."""
