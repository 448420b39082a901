"""Messages: whether one left, how far it got, and the arrows between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.clocks import to_timestamp
from gateway.domain.enums import quicken
from gateway.domain.identities import Identity
from wagate.v1 import content_pb2
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import message_pb2 as pb

State = pb.Message.State
Direction = pb.Message.Direction
Origin = pb.Message.Origin
Level = pb.Reach.Level
HoldKind = pb.Hold.Kind
quicken(State, Direction, Origin, Level, HoldKind)

GIVE_UP_AT_MOST: Final = timedelta(days=365)
RETRY_AFTER: Final = (timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=60))
"""The pauses before WhatsApp is asked again after it said 5xx or 429."""
REPEATS_AT_MOST: Final = 3
"""How often an unconfirmed message is repeated under its id."""

ARROWS: Final[dict[State.ValueType, frozenset[State.ValueType]]] = {
    State.STATE_QUEUED: frozenset({State.STATE_SENDING, State.STATE_CANCELED, State.STATE_FAILED, State.STATE_EXPIRED}),
    State.STATE_SENDING: frozenset(
        {
            State.STATE_QUEUED,
            State.STATE_UNCONFIRMED,
            State.STATE_SENT,
            State.STATE_FAILED,
            State.STATE_EXPIRED,
        }
    ),
    State.STATE_UNCONFIRMED: frozenset(
        {State.STATE_SENDING, State.STATE_SENT, State.STATE_FAILED, State.STATE_EXPIRED}
    ),
    State.STATE_SENT: frozenset({State.STATE_FAILED}),
}
"""The arrows of the contract; a state that is not named has none."""

UNSENT: Final[frozenset[State.ValueType]] = frozenset(
    {State.STATE_QUEUED, State.STATE_SENDING, State.STATE_UNCONFIRMED}
)
"""The states of the outbox."""
ENDED_UNSENT: Final[frozenset[State.ValueType]] = frozenset(
    {State.STATE_FAILED, State.STATE_EXPIRED, State.STATE_CANCELED}
)
"""The ends without arrival."""


class IllegalArrow(Exception):
    """A message was moved along an arrow that the contract does not have: a fault of the gateway."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a due message waits, and until when if that is known."""

    kind: HoldKind.ValueType
    until_time: datetime | None = None

    def to_proto(self) -> pb.Hold:
        """As the contract shows it."""
        return pb.Hold(kind=self.kind, until_time=to_timestamp(self.until_time))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a message got, counted over the people it was for."""

    furthest: Level.ValueType = Level.LEVEL_UNSPECIFIED
    recipient_count: int = 0
    delivered_count: int = 0
    read_count: int = 0
    played_count: int = 0

    def to_proto(self) -> pb.Reach:
        """As the contract shows it."""
        return pb.Reach(
            furthest=self.furthest,
            recipient_count=self.recipient_count,
            delivered_count=self.delivered_count,
            read_count=self.read_count,
            played_count=self.played_count,
        )


NOWHERE: Final = Reach()
"""How far all messages got at first."""


@dataclass(slots=True)
class Message:
    """One message, sent or received. `ordinal` is the store's count of acceptance, 0 before it is stored; until
    `next_attempt_time` those behind it go first; `repeat_count` counts repeats after a lost answer.
    """

    tenant_id: str
    message_id: str
    session_id: str
    session_uid: str
    chat_id: str
    sender_id: str
    direction: Direction.ValueType
    origin: Origin.ValueType
    state: State.ValueType
    content: content_pb2.Content
    create_time: datetime
    provider_message_id: str = ""
    edit: str = ""
    due_time: datetime | None = None
    give_up_time: datetime | None = None
    next_attempt_time: datetime | None = None
    send_time: datetime | None = None
    failure: reasons.Failure | None = None
    hold: Hold | None = None
    reach: Reach = NOWHERE
    revision: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    correlation_id: str = ""
    attempt_count: int = 0
    refusal_count: int = 0
    repeat_count: int = 0
    retry_of_message_id: str = ""
    ordinal: int = 0

    def copy(self) -> Message:
        """A copy that can be changed without changing this one; the content is shared, and never changed in place."""
        return replace(self, metadata=dict(self.metadata))

    def move(self, state: State.ValueType) -> None:
        """Go to another state along an arrow of the contract.

        Raises:
            IllegalArrow: there is no such arrow.
        """
        if state not in ARROWS.get(self.state, frozenset()):
            raise IllegalArrow(f"{State.Name(self.state)} to {State.Name(state)}")
        self.state = state

    def is_given_up(self, now: datetime) -> bool:
        """Whether the gateway tries no more."""
        return self.give_up_time is not None and self.give_up_time <= now

    @property
    def is_fresh(self) -> bool:
        """Whether it waits for nothing but its turn: no attempt at it failed."""
        return self.state == State.STATE_QUEUED and self.hold is None and self.next_attempt_time is None

    @property
    def waits_for_word(self) -> bool:
        """Whether it is UNCONFIRMED and will not be repeated until a caller says so."""
        return (
            self.state == State.STATE_UNCONFIRMED
            and self.hold is not None
            and self.hold.kind == HoldKind.KIND_UNCONFIRMED
        )

    @property
    def is_repeated_out(self) -> bool:
        """Whether it is UNCONFIRMED, and was repeated as often as a message is."""
        return self.state == State.STATE_UNCONFIRMED and self.repeat_count >= REPEATS_AT_MOST

    def to_proto(self, chat: Identity, sender: Identity, hold: Hold | None = None) -> pb.Message:
        """As the contract shows it, with what holds it."""
        return pb.Message(
            message_id=self.message_id,
            provider_message_id=self.provider_message_id,
            session_id=self.session_id,
            chat=chat.to_proto(),
            sender=sender.to_proto(),
            direction=self.direction,
            origin=self.origin,
            content=self.content,
            state=self.state,
            failure=self.failure,
            hold=hold.to_proto() if hold else None,
            reach=self.reach.to_proto(),
            revision=self.revision,
            metadata=self.metadata or None,
            request_id=self.request_id,
            attempt_count=self.attempt_count,
            create_time=to_timestamp(self.create_time),
            due_time=to_timestamp(self.due_time),
            give_up_time=to_timestamp(self.give_up_time),
            send_time=to_timestamp(self.send_time),
            retry_of_message_id=self.retry_of_message_id,
        )


@dataclass(slots=True)
class Receipt:
    """How far a message got with one person; `ordinal` is the store's count, 0 before it is stored."""

    tenant_id: str
    message_id: str
    participant_id: str
    deliver_time: datetime | None = None
    read_time: datetime | None = None
    play_time: datetime | None = None
    ordinal: int = 0

    def advance(self, level: Level.ValueType, moment: datetime) -> list[Level.ValueType]:
        """Note that the person got this far, and tell the steps that are new, in order: a receipt that overtakes an
        earlier one implies it.
        """
        new: list[Level.ValueType] = []
        if self.deliver_time is None:
            self.deliver_time = moment
            new.append(Level.LEVEL_DELIVERED)
        if level >= Level.LEVEL_READ and self.read_time is None:
            self.read_time = moment
            new.append(Level.LEVEL_READ)
        if level >= Level.LEVEL_PLAYED and self.play_time is None:
            self.play_time = moment
            new.append(Level.LEVEL_PLAYED)
        return new
