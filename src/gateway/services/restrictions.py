"""Restrictions: what WhatsApp forbids an account for a time, told when it begins and when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.leases import Lease
from gateway.domain.lines import ReachoutRestricted
from gateway.domain.sessions import Forbidden, Restriction, Session
from gateway.ports.queue import outbox_bell
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.ownership import needs, owned_session
from gateway.services.standing import tell_standing
from gateway.services.views import Views

_AT_ONCE: Final = 100
_UNLESS_SAID: Final = timedelta(hours=1)
"""After so long it is tried again to write to new people, where WhatsApp did not say when it may be."""
_SURELY_OVER: Final = timedelta(seconds=2)
"""So long after the end that WhatsApp said it is over in any case: WhatsApp tells whole seconds, by its own clock."""


class Restrictions:
    """Each call is one commit."""

    def __init__(self, store: Store, views: Views) -> None:
        self._store = store
        self._views = views

    async def reachout(self, lease: Lease, fact: ReachoutRestricted) -> None:
        """Note what WhatsApp says about writing to new people, under the owner's fence."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            previous = session.copy()
            if fact.active:
                session.restrict(_reachout(fact.until_time, uow.now))
            else:
                session.lift(Forbidden.KIND_REACHOUT)
                uow.ring(outbox_bell(session.uid))
            await tell_standing(uow, self._views, previous, session)

        await self._store.write(work, needs(lease))

    async def lift_ended(self) -> int:
        """End what is over by itself, in all sessions, so that what it held goes on; tell how many sessions had it."""

        async def find(uow: UnitOfWork) -> bool:
            return bool(await uow.sessions.with_ended_restrictions(uow.now, 1))

        async def work(uow: UnitOfWork) -> int:
            sessions = await uow.sessions.with_ended_restrictions(uow.now, _AT_ONCE)
            for session in sessions:
                previous = session.copy()
                session.lift_ended(uow.now)
                await tell_standing(uow, self._views, previous, session)
                uow.ring(outbox_bell(session.uid))
            return len(sessions)

        return await self._store.write(work) if await self._store.read(find) else 0


async def forbid_reachout(uow: UnitOfWork, views: Views, session: Session) -> None:
    """Note that WhatsApp refused a message to a new person; it did not say until when, unless it did before."""
    if session.restriction(Forbidden.KIND_REACHOUT, uow.now) is None:
        previous = session.copy()
        session.restrict(_reachout(None, uow.now))
        await tell_standing(uow, views, previous, session)


async def forbidden_chats(uow: UnitOfWork, session: Session, chat_ids: Iterable[str]) -> set[str]:
    """Those of the chats in which nothing may be sent now, though the line is up."""
    if session.restriction(Forbidden.KIND_REACHOUT, uow.now) is None:
        return set()
    asked = set(chat_ids)
    return asked - await uow.messages.known_chats(session, asked)


def banned(until_time: datetime | None) -> Restriction:
    """A ban. If no end is known, a line that comes up ends it."""
    return Restriction(Forbidden.KIND_BANNED, until_time, until_time and until_time + _SURELY_OVER)


def _reachout(until_time: datetime | None, now: datetime) -> Restriction:
    end_time = until_time + _SURELY_OVER if until_time else now + _UNLESS_SAID
    return Restriction(Forbidden.KIND_REACHOUT, until_time, end_time)
