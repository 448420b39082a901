"""The lookout: sees who is at work and what nobody owns, and claims this worker's part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.workers import Roll, Worker, to_claim
from gateway.ports.leases import Leases
from gateway.ports.meter import Meter
from gateway.workers.connect_pace import ConnectPace
from gateway.workers.tenure import boot_seconds

_CLAIM_AT_ONCE: Final = 100
_LOOK_SECONDS: Final = 1.0
_LOOK_SOON_SECONDS: Final = 0.1
_A_MOMENT: Final = 0.005
"""Seconds after a lease's end: then it is over by everybody's clock."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look found: who is at work, if the database answered, and what was claimed, `asked` for at that time by
    `boot_seconds`. Look again after `look_again` seconds, if nothing rings before.
    """

    asked: float
    look_again: float = _LOOK_SECONDS
    roll: Roll | None = None
    leases: list[Lease] = field(default_factory=list)


class Lookout:
    """Looks once a second, and at the very moment when a worker that gives no sign of life is taken for lost. Claims no
    faster than lines may be opened: what it could not open yet another one might, that is just beginning.
    """

    def __init__(
        self, leases: Leases, meter: Meter, pace: ConnectPace, *, ttl: timedelta, left_over: timedelta
    ) -> None:
        self._leases = leases
        self._meter = meter
        self._pace = pace
        self._ttl = ttl
        self._left_over = left_over
        self.is_claiming = False
        """Whether leases may be held already of which nobody here knows yet."""

    async def look(self, mine: Callable[[], Worker]) -> Sight:
        """Look, and claim up to the fair share of a worker; beyond it, only what nobody else takes."""
        asked = boot_seconds()
        self.is_claiming = True
        try:
            roll = await self._leases.look()
            return await self._claim(mine(), roll, asked)
        except StoreUnavailable:
            log.warning("No session can be claimed: the database does not answer.")
            return Sight(asked)
        finally:
            self.is_claiming = False

    async def _claim(self, mine: Worker, roll: Roll, asked: float) -> Sight:
        count, only_left_over = to_claim(mine, roll)
        if not count or not roll.unowned:
            return Sight(asked, until_next_loss(roll), roll)
        limit = min(count, _CLAIM_AT_ONCE)
        free_for = self._left_over if only_left_over else timedelta(0)
        claimed = await self._leases.claim(mine.worker_id, limit=limit, ttl=self._ttl, free_for=free_for)
        if claimed:
            left, owned = roll.unowned - len(claimed), mine.session_count + len(claimed)
            self._meter.sessions_claimed(len(claimed))
            log.info("Sessions were claimed.", claimed=len(claimed), owned=owned, left=left)
        if len(claimed) == limit:
            return Sight(asked, self._pace.seconds_for(limit), roll, claimed)
        if only_left_over or len(claimed) >= roll.unowned:
            return Sight(asked, until_next_loss(roll), roll, claimed)
        return Sight(asked, _LOOK_SOON_SECONDS, roll, claimed)


def until_next_loss(roll: Roll) -> float:
    """Seconds until something may be free, unless a bell tells of it; a second at most."""
    if roll.next_loss is None:
        return _LOOK_SECONDS
    return min((roll.next_loss - roll.moment).total_seconds() + _A_MOMENT, _LOOK_SECONDS)
