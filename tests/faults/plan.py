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


KILLS: Final = (Kind.KILL_GATEWAY, Kind.KILL_ENGINE, Kind.KILL_BOTH)
STOPS: Final = (Kind.STOP_GATEWAY, Kind.STOP_ENGINE)
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
    kinds = [(KILLS[number % len(KILLS)], number < terms.kills * _BETWEEN) for number in range(terms.kills)]
    kinds += [(kind, False) for kind, share in _ONE_IN.items() for _ in range(max(1, terms.kills // share))]
    dice.shuffle(kinds)
    waits = [dice.lognormvariate(0, 1.5) for _ in kinds]  # blow upon blow, and long calms now and then
    scale = terms.messages * _DURING_FAULTS / sum(waits)
    return [
        Fault(kind, round(wait * scale), dice.randrange(terms.sessions), between)
        for (kind, between), wait in zip(kinds, waits, strict=True)
    ]
