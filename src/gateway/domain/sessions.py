"""Sessions: what is wanted of one, and what is the case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.domain.clocks import to_duration, to_timestamp
from gateway.domain.enums import quicken
from gateway.domain.identities import Identity
from gateway.domain.ids import SESSION_UID, make_etag, make_id
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_pb2 as pb

State = pb.SessionStatus.State
DesiredState = pb.SessionSpec.DesiredState
OnAmbiguous = pb.SessionSpec.OnAmbiguous
Forbidden = pb.Restriction.Kind
quicken(State, DesiredState, OnAmbiguous, Forbidden)


@dataclass(frozen=True, slots=True)
class LinkedDevice:
    """The device that a session is, as the provider knows it. `jid` holds the device number."""

    jid: str
    lid: str = ""
    phone_number: str = ""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something that WhatsApp forbids the account. `until_time` is when that ends, if WhatsApp said so; `end_time` is
    when the gateway takes it for over by itself, None if only an event can end it.
    """

    kind: Forbidden.ValueType
    until_time: datetime | None = None
    end_time: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Whether it is not over yet."""
        return self.end_time is None or self.end_time > now

    def to_proto(self) -> pb.Restriction:
        """As the contract shows it."""
        return pb.Restriction(kind=self.kind, until_time=to_timestamp(self.until_time))


@dataclass(frozen=True, slots=True)
class OutboxSize:
    """What waits to be sent: how many, and since when the oldest has been due."""

    count: int = 0
    oldest_due_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """How many sessions are in each state (those that are not named have none), what waits in all outboxes, and how
    many sessions are suspended.
    """

    by_state: dict[State.ValueType, int]
    outbox: OutboxSize
    suspended: int = 0


@dataclass(slots=True)
class Session:
    """One account linked to the gateway, or to be linked. `revision` grows with each change of the status, `etag`
    changes with each change that a caller makes. `restarts` counts the restarts asked for; an owner that sees it grow
    makes the line anew. `logout_wanted` is a logout asked for and not yet done. `restrictions` holds one of a kind at
    most, and may hold such as are over (see `restriction`). `fault_count` counts faults of the gateway in a row; after
    some the session is suspended: since `suspend_time`, and it rests until `rest_until_time` (see `services.faults`).
    """

    tenant_id: str
    session_id: str
    uid: str
    provider: str
    create_time: datetime
    update_time: datetime
    since_time: datetime
    etag: str
    display_name: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expected_phone_number: str = ""
    desired_state: DesiredState.ValueType = DesiredState.DESIRED_STATE_RUNNING
    on_ambiguous: OnAmbiguous.ValueType = OnAmbiguous.ON_AMBIGUOUS_REPEAT
    restarts: int = 0
    logout_wanted: bool = False
    state: State.ValueType = State.STATE_STARTING
    failure: reasons.Failure | None = None
    next_attempt_time: datetime | None = None
    restrictions: tuple[Restriction, ...] = ()
    fault_count: int = 0
    suspend_time: datetime | None = None
    rest_until_time: datetime | None = None
    device: LinkedDevice | None = None
    account_id: str = ""
    revision: int = 1
    deleted_time: datetime | None = None

    def copy(self) -> Session:
        """A copy that can be changed without changing this one."""
        return replace(self, metadata=dict(self.metadata))

    @property
    def is_wanted(self) -> bool:
        """Whether a worker has something to do for it."""
        if self.deleted_time is not None:
            return False
        running = self.desired_state == DesiredState.DESIRED_STATE_RUNNING
        return running or self.logout_wanted or self.state not in RESTING

    def restriction(self, kind: Forbidden.ValueType, now: datetime) -> Restriction | None:
        """What WhatsApp forbids the account at this moment, of this kind."""
        for one in self.restrictions:
            if one.kind == kind and one.lasts(now):
                return one
        return None

    def restrict(self, restriction: Restriction) -> None:
        """Note what is forbidden from now on, in place of what was of that kind."""
        self.lift(restriction.kind)
        self.restrictions = (*self.restrictions, restriction)

    def lift(self, kind: Forbidden.ValueType) -> None:
        """Note that this is forbidden no more."""
        self.restrictions = tuple(one for one in self.restrictions if one.kind != kind)

    def lift_ended(self, now: datetime) -> None:
        """Forget what is over."""
        self.restrictions = tuple(one for one in self.restrictions if one.lasts(now))

    def forget_faults(self) -> None:
        """Count faults from none again."""
        self.fault_count, self.suspend_time, self.rest_until_time = 0, None, None

    @property
    def restrictions_end_time(self) -> datetime | None:
        """When the first of the restrictions is over by itself."""
        return min((one.end_time for one in self.restrictions if one.end_time is not None), default=None)

    def status_proto(
        self, now: datetime, account: Identity | None, outbox: OutboxSize, capabilities: tuple[str, ...]
    ) -> pb.SessionStatus:
        """What is the case, as the contract shows it."""
        oldest = outbox.oldest_due_time
        return pb.SessionStatus(
            state=self.state,
            since_time=to_timestamp(self.since_time),
            failure=self.failure,
            next_attempt_time=to_timestamp(self.next_attempt_time),
            restrictions=[one.to_proto() for one in self.restrictions if one.lasts(now)],
            account=account.to_proto() if account else None,
            capabilities=capabilities if self.device else (),
            outbox_size=outbox.count,
            outbox_age=to_duration(max(now - oldest, timedelta(0))) if oldest else None,
            revision=self.revision,
        )

    def to_proto(self, status: pb.SessionStatus | None) -> pb.Session:
        """As the contract shows it, with a status from `status_proto`; with none if it is not stored."""
        return pb.Session(
            session_id=self.session_id,
            uid=self.uid,
            display_name=self.display_name,
            metadata=self.metadata,
            spec=pb.SessionSpec(
                provider=self.provider,
                desired_state=self.desired_state,
                expected_phone_number=self.expected_phone_number,
                on_ambiguous=self.on_ambiguous,
            ),
            status=status,
            etag=self.etag,
            create_time=to_timestamp(self.create_time),
            update_time=to_timestamp(self.update_time),
        )


RESTING = frozenset({State.STATE_STOPPED, State.STATE_LOGGED_OUT})
"""The states in which a session that is not wanted stays without an owner."""

SAYS_THAT_A_LINE_IS_OPEN = (State.STATE_CONNECTED, State.STATE_DEGRADED)
"""The states of which only an owner can speak."""

DELETABLE = RESTING
"""The states in which a session can be deleted without force."""


def new_session(tenant_id: str, session_id: str, provider: str, now: datetime) -> Session:
    """A session that is wanted, and linked to nothing."""
    return Session(
        tenant_id=tenant_id,
        session_id=session_id,
        uid=make_id(SESSION_UID),
        provider=provider,
        create_time=now,
        update_time=now,
        since_time=now,
        etag=make_etag(),
    )
