"""A session against a model: whatever its callers want, its owners do, and its lines tell, in whatever order."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from gateway.domain.errors import EtagMismatch, LeaseLost, SessionLoggedOut, SessionNeverPaired, SessionNotStopped
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.sessions import DesiredState, LinkedDevice, State
from tests.machines.log import Log
from tests.machines.loop import LONG, SHORT, Ground, Machine, check, driven
from tests.unit.services.house import LEASE_FOR, a_send
from tests.unit.workers.crew import another_owner_takes
from wagate.v1 import session_pb2
from wagate.v1 import session_service_pb2 as pb

RUNNING, STOPPED = DesiredState.DESIRED_STATE_RUNNING, DesiredState.DESIRED_STATE_STOPPED
PAIRING, LOGGED_OUT = State.STATE_PAIRING, State.STATE_LOGGED_OUT
RESTING: Final = frozenset({State.STATE_STOPPED, LOGGED_OUT})
NO_NEWS: Final = {
    PAIRING: frozenset({LineState.OPENING, LineState.UNLINKED}),
    LOGGED_OUT: frozenset({LineState.OPENING, LineState.UNLINKED, LineState.DEGRADED, LineState.RECONNECTING}),
}
SHOWN_AS: Final = {
    LineState.OPENING: State.STATE_STARTING,
    LineState.CONNECTED: State.STATE_CONNECTED,
    LineState.DEGRADED: State.STATE_DEGRADED,
    LineState.RECONNECTING: State.STATE_RECONNECTING,
    LineState.BLOCKED: State.STATE_BLOCKED,
}
TOLD_BY_LINES: Final = (*SHOWN_AS, LineState.UNLINKED, LineState.LOGGED_OUT)


class SessionMachine(Machine):
    """One session: its callers, its owners one after the other, and its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.state: State.ValueType = State.STATE_STARTING
        self.desired: DesiredState.ValueType = RUNNING
        self.device: LinkedDevice | None = None
        self.was_linked = self.logout_wanted = self.is_deleted = False
        self.restarts = self.waiting = self.updates = 0
        self.stale: Lease | None = None

    @initialize(linked=st.booleans())
    @driven
    async def begin_anew(self, linked: bool) -> None:
        """A session that was never paired, or one that is linked."""
        self.number = next(self.ground.numbers)
        self.session_id = f"t-{self.number}"
        position = await self.house.newest()
        session = await self.house.create(self.session_id)
        self.etag, self.log = session.etag, Log(self.house, session.uid, position)
        (self.lease,) = await self.house.leases.claim("w_test", limit=1, ttl=LEASE_FOR)
        if linked:
            await self._link()

    # Callers

    @precondition(lambda self: not self.is_deleted)
    @rule(running=st.booleans())
    @driven
    async def start_or_stop(self, running: bool) -> None:
        sessions, call = self.house.sessions, self.house.call()
        if running:
            self.restarts += self.state == State.STATE_BLOCKED
            response = await sessions.start(call, pb.StartSessionRequest(session_id=self.session_id))
            self._want(RUNNING, response.session)
        else:
            stopped = await sessions.stop(call, pb.StopSessionRequest(session_id=self.session_id))
            self._want(STOPPED, stopped.session)

    @precondition(lambda self: not self.is_deleted)
    @rule()
    @driven
    async def restart(self) -> None:
        request = pb.RestartSessionRequest(session_id=self.session_id)
        response = await self.house.sessions.restart(self.house.call(), request)
        self.restarts += 1
        self._want(RUNNING, response.session)

    @precondition(lambda self: not self.is_deleted)
    @rule()
    @driven
    async def log_out(self) -> None:
        try:
            request = pb.LogoutSessionRequest(session_id=self.session_id)
            response = await self.house.sessions.logout(self.house.call(), request)
        except SessionNeverPaired:
            assert not self.was_linked
        else:
            self.logout_wanted = self.device is not None
            self._want(STOPPED, response.session)

    @precondition(lambda self: not self.is_deleted)
    @rule(etag=st.sampled_from(["", "present", "old"]))
    @driven
    async def rename(self, etag: str) -> None:
        request = pb.UpdateSessionRequest(session=session_pb2.Session(session_id=self.session_id))
        request.session.display_name = f"name {self.updates}"
        request.session.etag = self.etag if etag == "present" else etag
        try:
            response = await self.house.sessions.update(self.house.call(), request)
        except EtagMismatch:
            assert etag == "old"
        else:
            assert etag != "old"
            assert response.session.etag != self.etag
            self.etag, self.updates = response.session.etag, self.updates + 1

    @precondition(lambda self: not self.is_deleted)
    @rule()
    @driven
    async def send(self) -> None:
        try:
            await self.house.messages.send(self.house.call(), a_send(session_id=self.session_id))
        except SessionNeverPaired:
            assert not self.was_linked
        except SessionLoggedOut:
            assert self.was_linked
            assert self.device is None or self.logout_wanted
        else:
            assert self.device is not None
            assert not self.logout_wanted
            self.waiting += 1

    @precondition(lambda self: not self.is_deleted)
    @rule(force=st.booleans())
    @driven
    async def delete(self, force: bool) -> None:
        try:
            await self._delete(force=force)
        except SessionNotStopped:
            assert not force
            assert self.state not in RESTING
        else:
            assert force or self.state in RESTING
            self.is_deleted, self.desired, self.waiting = True, STOPPED, 0

    # Owners, and their lines

    @precondition(lambda self: not self.is_deleted)
    @rule(told=st.sampled_from(TOLD_BY_LINES))
    @driven
    async def line_tells(self, told: LineState) -> None:
        if told is LineState.CONNECTED and self.device is None:
            return
        await self.house.lines.changed(self.lease, LineChanged(told))
        if told is LineState.LOGGED_OUT or (told is LineState.UNLINKED and self.device is not None):
            self._lose_link()
        elif self.device is None and told in NO_NEWS.get(self.state, ()):
            return
        elif told is LineState.UNLINKED:
            self.state = LOGGED_OUT if self.was_linked else PAIRING
        else:
            self.state = SHOWN_AS[told]

    @precondition(lambda self: not self.is_deleted)
    @rule(to=st.sampled_from([State.STATE_STARTING, State.STATE_STOPPING, State.STATE_STOPPED]))
    @driven
    async def owner_goes(self, to: State.ValueType) -> None:
        lines = self.house.lines
        go = {State.STATE_STARTING: lines.starting, State.STATE_STOPPING: lines.stopping}.get(to, lines.stopped)
        await go(self.lease)
        if self.state != LOGGED_OUT:
            self.state = to

    @precondition(lambda self: not self.is_deleted and self.device is None)
    @rule()
    @driven
    async def a_person_is_waited_for(self) -> None:
        await self.house.lines.pairing(self.lease)
        self.state = PAIRING

    @precondition(lambda self: not self.is_deleted and self.device is None)
    @rule()
    @driven
    async def a_person_links_it(self) -> None:
        await self._link()

    @precondition(lambda self: not self.is_deleted)
    @rule()
    @driven
    async def owner_loses_the_link(self) -> None:
        await self.house.lines.logged_out(self.lease)
        self._lose_link()

    @precondition(lambda self: not self.is_deleted and self._is_wanted())
    @rule()
    @driven
    async def another_owner_takes_over(self) -> None:
        self.stale, self.lease = self.lease, await another_owner_takes(self.house, self.lease)
        assert self.lease.fence == self.stale.fence + 1

    @precondition(lambda self: self.is_deleted or self.stale)
    @rule(told=st.sampled_from(TOLD_BY_LINES))
    @driven
    async def who_owns_it_no_longer_tries(self, told: LineState) -> None:
        lines, lease = self.house.lines, self.lease if self.is_deleted else self.stale
        assert lease is not None
        for attempt in (lines.changed(lease, LineChanged(told)), lines.stopped(lease), lines.logged_out(lease)):
            with pytest.raises(LeaseLost):
                await attempt

    # What is always true

    @invariant()
    @driven
    async def all_is_as_expected(self) -> None:
        session = await self.house.store.read(lambda uow: uow.sessions.get_by_uid(self.lease.session_uid))
        assert session is not None
        assert (session.state, session.desired_state, session.device) == (self.state, self.desired, self.device)
        assert (session.logout_wanted, session.restarts) == (self.logout_wanted, self.restarts)
        assert session.is_wanted == self._is_wanted()
        assert bool(session.account_id) == self.was_linked
        assert session.device is None or session.state not in {PAIRING, LOGGED_OUT}
        assert session.device is not None or session.state != State.STATE_CONNECTED
        assert (await self.house.store.read(lambda uow: uow.sessions.outbox(session.uid))).count == self.waiting

    @invariant()
    @driven
    async def each_change_was_told_in_order_and_once(self) -> None:
        await self.log.read()
        session = await self.house.store.read(lambda uow: uow.sessions.get_by_uid(self.lease.session_uid))
        assert session is not None
        assert (self.log.standing.state, self.log.standing.revision) == (session.state, session.revision)
        assert self.log.kinds.count("session.updated") == self.updates
        assert self.log.kinds.count("session.deleted") == self.is_deleted

    @driven
    async def teardown(self) -> None:
        """Leave nothing that the next machine could find."""
        if not self.is_deleted:
            await self._delete(force=True)

    async def _delete(self, *, force: bool) -> None:
        request = pb.DeleteSessionRequest(session_id=self.session_id, force=force)
        await self.house.sessions.delete(self.house.call(), request)

    async def _link(self) -> None:
        number = f"4916{self.number:08}"
        self.device = LinkedDevice(f"{number}:7@s.whatsapp.net", f"77{number}@lid", f"+{number}")
        await self.house.lines.linked(self.lease, self.device, "Shop")
        self.state, self.was_linked = State.STATE_STARTING, True

    def _lose_link(self) -> None:
        self.state, self.device, self.logout_wanted, self.waiting = LOGGED_OUT, None, False, 0

    def _want(self, desired: DesiredState.ValueType, shown: session_pb2.Session) -> None:
        """A wish was stored: it is news, under another etag, if it is another one than before."""
        assert shown.spec.desired_state == desired
        assert (shown.etag != self.etag) == (desired != self.desired)
        self.updates += desired != self.desired
        self.desired, self.etag = desired, shown.etag

    def _is_wanted(self) -> bool:
        resting = self.state in RESTING
        return not self.is_deleted and (self.desired == RUNNING or self.logout_wanted or not resting)


@pytest.mark.timeout(300)
def test_a_session_is_as_the_contract_says_whatever_happens(ground: Ground) -> None:
    check(SessionMachine, ground, SHORT)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_session_is_as_the_contract_says_whatever_happens_for_long(ground: Ground) -> None:
    check(SessionMachine, ground, LONG)
