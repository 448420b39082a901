"""The log of one session, read as it grows, and held to what the contract says of every log."""

from __future__ import annotations

from collections import defaultdict

from gateway.domain.messages import Level, State
from tests.unit.domain.test_messages import ARROWS_OF_THE_CONTRACT
from tests.unit.services.house import House, event_of
from wagate.v1 import event_pb2, session_pb2

Step = tuple[State.ValueType, Level.ValueType]


class Log:
    """`told` holds the states and reaches of each message after its acceptance, `accepted` the messages in order, and
    `standing` how the session stands as far as was told.
    """

    def __init__(self, house: House, session_uid: str, position: int) -> None:
        self.accepted: list[str] = []
        self.told: defaultdict[str, list[Step]] = defaultdict(list)
        self.standing = session_pb2.SessionStatus()
        self.kinds: list[str] = []
        self._house = house
        self._session_uid = session_uid
        self._position = position
        self._sequence = 0
        self._revisions: dict[str, int] = {}

    async def read(self) -> None:
        """Read on to the end."""
        for stored in await self._house.stored_log(after=self._position):
            self._position = stored.position
            if stored.session_uid == self._session_uid:
                self._sequence += 1
                assert stored.sequence == self._sequence, "the numbers of events have a gap"
                self._take(event_of(stored))

    def _take(self, event: event_pb2.Event) -> None:
        self.kinds.append(event.kind)
        match event.WhichOneof("what"):
            case "session_created":
                self.standing = event.session_created.session.status
            case "message_accepted":
                message = event.message_accepted.message
                assert message.message_id not in self._revisions, "a message was accepted twice"
                self.accepted.append(message.message_id)
                self._revisions[message.message_id] = message.revision
            case "message_status_changed":
                self._step(event.message_status_changed)
            case "session_state_changed":
                self._change(event.session_state_changed)

    def _step(self, step: event_pb2.MessageStatusChanged) -> None:
        path = self.told[step.message_id]
        state, furthest = path[-1] if path else (State.STATE_QUEUED, Level.LEVEL_UNSPECIFIED)
        assert step.state == state or (state, step.state) in ARROWS_OF_THE_CONTRACT, "the contract has no such arrow"
        assert step.reach.furthest >= furthest, "a message got less far than before"
        self._revisions[step.message_id] += 1
        assert step.revision == self._revisions[step.message_id], "a step was not told, or twice"
        path.append((step.state, step.reach.furthest))

    def _change(self, change: event_pb2.SessionStateChanged) -> None:
        assert change.previous_state == self.standing.state, "a change of the session was not told"
        assert change.status.revision == self.standing.revision + 1, "a change of the session was not told, or twice"
        self.standing = change.status
