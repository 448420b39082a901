"""The store's clock: never goes back, not even over a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.adapters.sql.driver import Driver
from gateway.adapters.sql.idioms import Database

_LOOK_EVERY_SECONDS: Final = 1.0


def utc_now() -> datetime:
    """This moment by the machine's clock."""
    return datetime.now(UTC)


class FarClock:
    """The clock of a database that others use, too; carried on by this machine's steady one from one look to the next,
    so that no process's idea of the time matters. It is never ahead: the way back counts as no time.
    """

    def __init__(self) -> None:
        self._told = utc_now()
        self._seen = 0.0

    def now(self) -> datetime:
        """This moment."""
        return self._told + timedelta(seconds=time.monotonic() - self._seen)

    async def look(self, database: Database, driver: Driver) -> None:
        """Look at it, if the last look was a while ago."""
        if time.monotonic() - self._seen >= _LOOK_EVERY_SECONDS:
            self.set(await database.moment(driver))

    def set(self, told: datetime) -> None:
        """Go on from what it has told just now."""
        self._told, self._seen = told, time.monotonic()


class Clock:
    """Goes by `now`, or else by the database's own clock where that is shared, and by the machine's where it is not.
    While that lies behind what this clock has told before, it goes on from there.
    """

    def __init__(self, now: Callable[[], datetime] | None, database: Database) -> None:
        self._far = FarClock() if now is None and database.is_shared else None
        self._now = now or (self._far.now if self._far else utc_now)
        self._latest = datetime.fromtimestamp(0, UTC)
        self._seen = time.monotonic()

    def begin_behind(self, latest: datetime) -> None:
        """Never tell a moment before this one."""
        self._latest = max(self._latest, latest)

    async def look(self, database: Database, driver: Driver) -> None:
        """Look at the database's clock, if it goes by that."""
        if self._far is not None:
            await self._far.look(database, driver)

    def told(self, moment: datetime) -> datetime:
        """This moment, as the database has told it just now; if this clock goes by that."""
        if self._far is not None:
            self._far.set(moment)
        return self.moment()

    def moment(self) -> datetime:
        """This moment."""
        seen = time.monotonic()
        now = self._now()
        if now < self._latest:
            now = self._latest + timedelta(seconds=seen - self._seen)
        self._latest, self._seen = now, seen
        return now
