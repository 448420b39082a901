"""Keys: whose may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ports.unit_of_work import Store


class Keys:
    """Tells which sessions are gone for good."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def forgettable(self, session_uids: Sequence[str]) -> list[str]:
        """Those that were deleted. A session that the store does not know is not ours to judge."""
        return await self._store.read(lambda uow: uow.sessions.deleted_among(session_uids))
