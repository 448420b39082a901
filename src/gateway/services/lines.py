"""Lines: what becomes of a session's connection, told as the session's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import SAYS_THAT_A_LINE_IS_OPEN, Forbidden, LinkedDevice, Session, State
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.endings import end_outbox
from gateway.services.identities import learn
from gateway.services.ownership import needs, owned_session
from gateway.services.restrictions import banned
from gateway.services.standing import tell_standing
from gateway.services.views import Views
from wagate.v1 import error_reason_pb2 as reasons

_STATE_OF_LINE: Final = {
    LineState.OPENING: State.STATE_STARTING,
    LineState.CONNECTED: State.STATE_CONNECTED,
    LineState.DEGRADED: State.STATE_DEGRADED,
    LineState.RECONNECTING: State.STATE_RECONNECTING,
    LineState.LOGGED_OUT: State.STATE_LOGGED_OUT,
    LineState.BLOCKED: State.STATE_BLOCKED,
}

_AT_ONCE: Final = 200

_NO_NEWS: Final = {
    State.STATE_LOGGED_OUT: frozenset(
        {LineState.OPENING, LineState.UNLINKED, LineState.DEGRADED, LineState.RECONNECTING}
    ),
    State.STATE_PAIRING: frozenset({LineState.OPENING, LineState.UNLINKED}),
}
"""What a line may do without a session that waits for a person being any further."""

LINE_LOST: Final = reasons.Failure(
    reason=reasons.ERROR_REASON_LINE_LOST, message="The line to WhatsApp was lost, and is being made again."
)
_PAIRING_NEEDED: Final = reasons.Failure(
    reason=reasons.ERROR_REASON_PAIRING_NEEDED, message="The session waits for a person to pair it."
)
_LOGGED_OUT: Final = reasons.Failure(
    reason=reasons.ERROR_REASON_SESSION_LOGGED_OUT, message="The session was logged out: pair it again."
)


class Lines:
    """Each call that takes a lease is one commit, under its fence, and answers with the session as it is then."""

    def __init__(self, store: Store, views: Views) -> None:
        self._store = store
        self._views = views

    async def all_lost(self) -> None:
        """Note that no session has a line any more, whatever it said last: the process that held the lines is gone."""

        async def work(uow: UnitOfWork) -> bool:
            sessions = await uow.sessions.in_states(SAYS_THAT_A_LINE_IS_OPEN, _AT_ONCE)
            for session in sessions:
                previous = session.copy()
                session.state = State.STATE_RECONNECTING
                session.failure = LINE_LOST
                session.next_attempt_time = uow.now
                await tell_standing(uow, self._views, previous, session)
            return bool(sessions)

        while await self._store.write(work):
            pass

    async def unattended(self) -> int:
        """Note that sessions have no line any more whose owners vanished without a word; tell how many there were."""

        async def find(uow: UnitOfWork) -> bool:
            return bool(await uow.workers.unattended(1))

        async def work(uow: UnitOfWork) -> int:
            count = 0
            for uid in await uow.workers.unattended(_AT_ONCE):
                session = await uow.sessions.get_by_uid(uid)
                if session is None or await uow.fences.is_held(uid) or session.state not in SAYS_THAT_A_LINE_IS_OPEN:
                    continue
                previous = session.copy()
                session.state, session.failure, session.next_attempt_time = State.STATE_STARTING, None, None
                await tell_standing(uow, self._views, previous, session)
                count += 1
            return count

        return await self._store.write(work) if await self._store.read(find) else 0

    async def look(self, lease: Lease) -> Session:
        """The session as it is."""

        async def work(uow: UnitOfWork) -> Session:
            return await owned_session(uow, lease)

        return await self._store.read(work)

    async def changed(self, lease: Lease, fact: LineChanged) -> Session:
        """Note where the line is now. A linked session whose line finds no keys is logged out."""
        keys_gone = fact.state is LineState.UNLINKED and (await self.look(lease)).device is not None
        if keys_gone or fact.state is LineState.LOGGED_OUT:
            return await self.logged_out(lease, fact.failure or _LOGGED_OUT)

        def change(session: Session) -> None:
            if fact.state in _NO_NEWS.get(session.state, ()) and session.device is None:
                return
            session.state = _state_of(fact.state, session)
            session.failure = _failure_of(fact, session.state)
            session.next_attempt_time = fact.next_attempt_time
            if fact.failure is not None and fact.failure.reason == reasons.ERROR_REASON_ACCOUNT_BANNED:
                session.restrict(banned(fact.banned_until_time))
            if fact.state is LineState.CONNECTED:
                session.lift(Forbidden.KIND_BANNED)
                session.device = fact.device or session.device

        return await self._change(lease, change, push_name=fact.push_name)

    async def pairing(self, lease: Lease) -> Session:
        """Note that the session waits for a person."""

        def change(session: Session) -> None:
            session.state = State.STATE_PAIRING
            session.failure = _PAIRING_NEEDED
            session.next_attempt_time = None

        return await self._change(lease, change)

    async def linked(self, lease: Lease, device: LinkedDevice, push_name: str) -> Session:
        """Note which device a session is from now on."""

        def change(session: Session) -> None:
            session.device = device
            session.failure = None
            session.state = State.STATE_STARTING

        return await self._change(lease, change, push_name=push_name)

    async def stopping(self, lease: Lease) -> Session:
        """Note that the line is being taken down."""
        return await self._go(lease, State.STATE_STOPPING)

    async def stopped(self, lease: Lease) -> Session:
        """Note that there is no line, and none is wanted. A session that was logged out stays so."""
        return await self._go(lease, State.STATE_STOPPED)

    async def starting(self, lease: Lease) -> Session:
        """Note that a line is being made."""
        return await self._go(lease, State.STATE_STARTING)

    async def _go(self, lease: Lease, state: State.ValueType) -> Session:
        def change(session: Session) -> None:
            if session.state == State.STATE_LOGGED_OUT:
                return
            session.state = state
            session.failure = None
            session.next_attempt_time = None
            if state == State.STATE_STOPPED:
                session.forget_faults()

        return await self._change(lease, change)

    async def logged_out(self, lease: Lease, failure: reasons.Failure = _LOGGED_OUT) -> Session:
        """Note that the link is gone, and end what waits to be sent."""

        async def work(uow: UnitOfWork) -> Session:
            session = await owned_session(uow, lease)
            previous = session.copy()
            session.device = None
            session.logout_wanted = False
            session.state = State.STATE_LOGGED_OUT
            session.forget_faults()
            session.failure = failure
            session.next_attempt_time = None
            await end_outbox(uow, session, reasons.ERROR_REASON_SESSION_LOGGED_OUT)
            await tell_standing(uow, self._views, previous, session)
            return session

        return await self._store.write(work, needs(lease))

    async def _change(self, lease: Lease, change: Callable[[Session], None], *, push_name: str = "") -> Session:
        async def work(uow: UnitOfWork) -> Session:
            session = await owned_session(uow, lease)
            previous = session.copy()
            change(session)
            if session.device is not None and session.device != previous.device:
                await _learn_account(uow, session, session.device, push_name)
            await tell_standing(uow, self._views, previous, session)
            return session

        return await self._store.write(work, needs(lease))


def _state_of(line: LineState, session: Session) -> State.ValueType:
    """A line without a device waits for a person, unless that person's phone took the device away."""
    if line is LineState.UNLINKED:
        return State.STATE_LOGGED_OUT if session.account_id else State.STATE_PAIRING
    return _STATE_OF_LINE[line]


def _failure_of(fact: LineChanged, state: State.ValueType) -> reasons.Failure | None:
    if state == State.STATE_PAIRING:
        return _PAIRING_NEEDED
    if state == State.STATE_LOGGED_OUT:
        return fact.failure or _LOGGED_OUT
    return fact.failure


async def _learn_account(uow: UnitOfWork, session: Session, device: LinkedDevice, push_name: str) -> None:
    names = Names(lid=device.lid, phone_number=device.phone_number, push_name=push_name)
    account = await learn(uow, session.tenant_id, names)
    session.account_id = account.identity_id
