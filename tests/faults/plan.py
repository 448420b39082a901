"""The plan of a run: from one seed, the same faults in the same order, each after as much traffic."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What goes wrong."""

    KILL_GATEWAY = "kill gateway"
    KILL_ENGINE = "kill engine"
    KILL_BOTH = "kill both"
    STOP_GATEWAY = "stop gateway beyond its lease"
    STOP_ENGINE = "stop engine beyond its lease"
    CUT = "cut sockets"
    FREEZE = "freeze sockets"
    LOSE_ACKS = "lose acks"
    HOLD_ACKS = "hold acks"
    GARBLE = "garble messages"
    KILL_READER = "kill reader"
    KILL_API = "kill API process"
    STOP_API = "stop API process"
    KILL_WORKER = "kill worker"
    STOP_WORKER = "stop worker beyond its lease"
    DRAIN_WORKER = "drain worker"
    KILL_POSTGRES = "kill PostgreSQL"
    STOP_POSTGRES = "stop PostgreSQL beyond all leases"
    KILL_REDIS = "kill Redis"
    STOP_REDIS = "stop Redis"
    FLUSH_REDIS = "flush Redis"
    REDIS_AWAY = "Redis away"


KILLS: Final = (Kind.KILL_GATEWAY, Kind.KILL_ENGINE, Kind.KILL_BOTH)
STOPS: Final = (Kind.STOP_GATEWAY, Kind.STOP_ENGINE, Kind.STOP_WORKER, Kind.STOP_POSTGRES)
OF_REDIS: Final = frozenset({Kind.KILL_REDIS, Kind.STOP_REDIS, Kind.FLUSH_REDIS, Kind.REDIS_AWAY})
OF_NO_SENDER: Final = OF_REDIS | {Kind.KILL_READER, Kind.KILL_API, Kind.STOP_API}
"""What should neither disturb nor excuse anybody who sends."""
OF_ONE_SESSION: Final = frozenset({Kind.CUT, Kind.FREEZE, Kind.LOSE_ACKS, Kind.HOLD_ACKS, Kind.GARBLE})

_BETWEEN: Final = 0.3
"""The share of kills that wait for a message which WhatsApp has taken and not acked yet."""
_ONE_IN: Final = {
    Kind.STOP_GATEWAY: 20,
    Kind.STOP_ENGINE: 20,
    Kind.CUT: 8,
    Kind.FREEZE: 12,
    Kind.LOSE_ACKS: 12,
    Kind.HOLD_ACKS: 12,
    Kind.GARBLE: 12,
    Kind.KILL_READER: 5,
}
"""For so many kills there is one of these, and at least one."""
_OF_A_FLEET: Final = {
    Kind.KILL_WORKER: 5,
    Kind.KILL_ENGINE: 3,
    Kind.KILL_API: 2,
    Kind.STOP_API: 1,
    Kind.KILL_POSTGRES: 2,
    Kind.STOP_POSTGRES: 1,
    Kind.STOP_WORKER: 2,
    Kind.STOP_ENGINE: 1,
    Kind.DRAIN_WORKER: 2,
    Kind.KILL_REDIS: 1,
    Kind.STOP_REDIS: 1,
    Kind.FLUSH_REDIS: 1,
    Kind.REDIS_AWAY: 1,
    Kind.KILL_READER: 2,
}
"""How many of each there are among 25 faults of a fleet."""
_DURING_FAULTS: Final = 0.6
"""The share of the messages that the faults are spread over; the others come after the last one."""


@dataclass(frozen=True)
class Terms:
    """What a run is made of. All of it follows from these, and from the machine's own timing."""

    seed: int
    kills: int = 30
    sessions: int = 3
    messages: int = 1500
    rate: float = 100
    """Messages a second, of all together."""
    fleet: bool = False
    """Whether a fleet is broken, and not one process; `kills` then counts all that befalls its parts."""
    durable: bool = False
    """Whether the fleet's PostgreSQL syncs its commits."""
    lease: float = 4.0
    """How many seconds a lease lasts."""
    away: float = 3.0
    """For how many seconds Redis is away, the first time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It comes after so many messages since the one before was made good; `session` is a place in the list
    of sessions; `between` wants it between a message's send and its ack.
    """

    kind: Kind
    after_messages: int
    session: int
    between: bool = False


def plan(terms: Terms) -> list[Fault]:
    """The faults of a run."""
    dice = random.Random(terms.seed)
    kinds = _of_a_fleet(terms.kills) if terms.fleet else _of_one_process(terms.kills)
    dice.shuffle(kinds)
    waits = [dice.lognormvariate(0, 1.5) for _ in kinds]  # blow upon blow, and long calms now and then
    scale = terms.messages * _DURING_FAULTS / sum(waits)
    return [
        Fault(kind, round(wait * scale), dice.randrange(terms.sessions), between)
        for (kind, between), wait in zip(kinds, waits, strict=True)
    ]


def _of_one_process(kills: int) -> list[tuple[Kind, bool]]:
    """Each kind, and whether it is to fall between a send and its ack."""
    kinds = [(KILLS[number % len(KILLS)], number < kills * _BETWEEN) for number in range(kills)]
    return kinds + [(kind, False) for kind, share in _ONE_IN.items() for _ in range(max(1, kills // share))]


def _of_a_fleet(count: int) -> list[tuple[Kind, bool]]:
    """The same for a fleet: every other kill of a worker or an engine is to fall there."""
    dealt = [kind for kind, share in _OF_A_FLEET.items() for _ in range(share)]
    kinds = [dealt[number * len(dealt) // count] for number in range(count)]
    sending = (Kind.KILL_WORKER, Kind.KILL_ENGINE)
    beside = [(kind, False) for kind in sorted(OF_ONE_SESSION) for _ in range(max(1, count // len(dealt)))]
    return [(kind, kind in sending and number % 2 == 0) for number, kind in enumerate(kinds)] + beside
