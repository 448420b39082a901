"""Keys: whose may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ports.unit_of_work import Store, UnitOfWork


class Keys:
    """Tells which sessions are gone for good."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def forgettable(self, session_uids: Sequence[str]) -> list[str]:
        """Those that were deleted. A session that the store does not know is not ours to judge."""

        async def work(uow: UnitOfWork) -> list[str]:
            sessions = [await uow.sessions.get_by_uid(uid) for uid in session_uids]
            return [session.uid for session in sessions if session is not None and session.deleted_time is not None]

        return await self._store.read(work)
