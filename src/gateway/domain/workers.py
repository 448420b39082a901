"""Workers: processes that own sessions, and how many each ought to own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.clocks import to_timestamp
from gateway.domain.enums import quicken
from wagate.v1 import worker_pb2 as pb

State = pb.Worker.State
quicken(State)

FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""A worker that gave no sign of life for so long is shown no more."""
_RELEASED_AT_ONCE: Final = 20
"""One in so many sessions is given back at a time."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that owns sessions. `alive_until` is when it is taken for lost, unless it gives a sign of life before;
    `drain_wanted` is a drain asked for, and `is_draining` one under way or done.
    """

    worker_id: str
    display_name: str
    version: str
    start_time: datetime
    capacity: int
    metrics_address: str = ""
    session_count: int = 0
    is_draining: bool = False
    drain_wanted: bool = False
    heartbeat_time: datetime | None = None
    alive_until: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether it gave a sign of life not longer ago than a lease lasts."""
        return self.alive_until is not None and self.alive_until > now

    @property
    def claims(self) -> bool:
        """Whether it takes sessions."""
        return not (self.is_draining or self.drain_wanted)

    def state(self, now: datetime) -> State.ValueType:
        """What it is doing."""
        if not self.is_alive(now):
            return State.STATE_LOST
        if self.claims:
            return State.STATE_SERVING
        return State.STATE_DRAINED if self.is_draining and not self.session_count else State.STATE_DRAINING

    def to_proto(self, now: datetime, share: int) -> pb.Worker:
        """As the contract shows it."""
        return pb.Worker(
            worker_id=self.worker_id,
            display_name=self.display_name,
            version=self.version,
            state=self.state(now),
            start_time=to_timestamp(self.start_time),
            heartbeat_time=to_timestamp(self.heartbeat_time),
            capacity=self.capacity,
            session_count=self.session_count,
            fair_share=min(share, self.capacity) if self.is_alive(now) and self.claims else 0,
            metrics_address=self.metrics_address,
        )


@dataclass(frozen=True, slots=True)
class Roll:
    """Who is alive at a moment, and how many sessions something is wanted of; `unowned` of them have no owner."""

    moment: datetime
    workers: tuple[Worker, ...] = ()
    wanted: int = 0
    unowned: int = 0

    @property
    def serving(self) -> list[Worker]:
        """Those who take sessions."""
        return [worker for worker in self.workers if worker.claims and worker.is_alive(self.moment)]

    @property
    def next_loss(self) -> datetime | None:
        """When the first of them is taken for lost, and its leases run out, unless it gives a sign of life before."""
        return min((worker.alive_until for worker in self.workers if worker.alive_until is not None), default=None)

    @property
    def share(self) -> int:
        """How many sessions each who takes sessions ought to own at most."""
        return fair_share(self.wanted, [worker.capacity for worker in self.serving])


def fair_share(wanted: int, capacities: Iterable[int]) -> int:
    """The least number that is enough for workers that can own so many: if none owns more, all sessions are owned, as
    far as there is room for them.
    """
    rooms = sorted(capacities)
    left = wanted
    for place, room in enumerate(rooms):
        share = -(-left // (len(rooms) - place))
        if share <= room:
            return share
        left -= room
    return rooms[-1] if rooms else 0


def to_claim(mine: Worker, roll: Roll) -> tuple[int, bool]:
    """How many sessions a worker may claim now, and whether only those that nobody else took for a while, as it has its
    fair share.
    """
    if not mine.claims:
        return 0, False
    of_share = min(roll.share, mine.capacity) - mine.session_count
    return (of_share, False) if of_share > 0 else (max(mine.capacity - mine.session_count, 0), True)


def to_release(mine: Worker, roll: Roll) -> int:
    """How many sessions a worker above its share gives back now: few at a time, and none that nobody has room for."""
    share, others = roll.share, [other for other in roll.serving if other.worker_id != mine.worker_id]
    excess = mine.session_count - min(share, mine.capacity)
    room = sum(max(min(share, other.capacity) - other.session_count, 0) for other in others)
    return max(min(excess, room, max(mine.session_count // _RELEASED_AT_ONCE, 1)), 0)
