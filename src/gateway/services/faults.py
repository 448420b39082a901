"""Faults of the gateway itself, session by session: one that fails again and again rests, so that it harms no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.domain.clocks import to_timestamp
from gateway.domain.leases import Lease
from gateway.domain.sessions import Session, State
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.log import tell
from gateway.services.ownership import needs, owned_session
from gateway.services.standing import tell_standing
from gateway.services.views import Views
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import event_pb2

FAULTS_IN_A_ROW: Final = 5
"""After so many a session is suspended, and again after each one more."""
_FIRST_REST: Final = timedelta(seconds=5)
_LONGEST_REST: Final = timedelta(minutes=10)


class Faults:
    """Each call is one commit, under the owner's fence, and answers with the session as it is then."""

    def __init__(self, store: Store, views: Views) -> None:
        self._store = store
        self._views = views

    async def failed(self, lease: Lease) -> Session:
        """Note that owner or line failed before the line was of use, for a reason that is not WhatsApp's."""

        async def work(uow: UnitOfWork) -> Session:
            session = await owned_session(uow, lease)
            previous = session.copy()
            session.fault_count += 1
            if session.fault_count < FAULTS_IN_A_ROW:
                await uow.sessions.save(session)
                return session
            await self._suspend(uow, previous, session)
            return session

        return await self._store.write(work, needs(lease))

    async def _suspend(self, uow: UnitOfWork, previous: Session, session: Session) -> None:
        until = uow.now + rest_after(session.fault_count)
        session.suspend_time = session.suspend_time or uow.now
        session.rest_until_time = session.next_attempt_time = until
        session.state = State.STATE_RECONNECTING
        session.failure = _suspended(session.fault_count)
        await tell_standing(uow, self._views, previous, session)
        suspended = event_pb2.SessionSuspended(
            failure=session.failure, until_time=to_timestamp(until), fault_count=session.fault_count
        )
        await tell(uow, session, event_pb2.Event(session_suspended=suspended))

    async def worked(self, lease: Lease) -> Session:
        """Note that a line has been of use: faults count from none again."""

        async def work(uow: UnitOfWork) -> Session:
            session = await owned_session(uow, lease)
            if session.suspend_time is not None:
                resumed = event_pb2.SessionResumed(
                    suspend_time=to_timestamp(session.suspend_time), fault_count=session.fault_count
                )
                await tell(uow, session, event_pb2.Event(session_resumed=resumed))
            session.forget_faults()
            await uow.sessions.save(session)
            return session

        return await self._store.write(work, needs(lease))


def rest_after(fault_count: int) -> timedelta:
    """How long a session rests after so many faults in a row."""
    times = fault_count - FAULTS_IN_A_ROW
    doubled: timedelta = _FIRST_REST * 2 ** min(times, 10)
    return min(doubled, _LONGEST_REST)


def _suspended(fault_count: int) -> reasons.Failure:
    return reasons.Failure(
        reason=reasons.ERROR_REASON_SESSION_SUSPENDED,
        message="The session failed again and again for reasons of the gateway, and rests.",
        metadata={"fault_count": str(fault_count)},
    )
