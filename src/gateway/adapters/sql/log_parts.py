# ruff: noqa: S608  # statements are put together from the names of parts
"""The log's parts, on PostgreSQL: one for each day, made ahead, and dropped whole once all of it is forgotten.

Positions are moments, never before those of their events (see `postgres_idiom`): so a part by position is one by time,
whoever reads behind a position looks at no part before it, and what ended before a moment is older than it. The last
part is open to the end of time: nothing is ever refused for want of a part. It is closed ahead of time, while empty.

Forgetting takes two steps. First a unit moves the start of each tenant's log behind what is past: from its commit on,
cursors from before are refused. Only a later round takes the part away, so that nobody who still saw the old start
finds it gone. Nobody waits for any of it for longer than a fifth of a second: what cannot be had by then is left to the
next round.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import Contended, Driver, Step
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.shelf import Row
from gateway.domain.clocks import from_micros, to_micros

AHEAD: Final = timedelta(days=2)
_DAY: Final = timedelta(days=1)
_ALONE: Final = 7242605
_PATIENCE: Final = Step("SET lock_timeout = '200ms'; SET statement_timeout = '60s'", mute=True)
_BOUNDS: Final = re.compile(r"FROM \((?:MINVALUE|'(-?\d+)')\) TO \((?:MAXVALUE|'(-?\d+)')\)")
_LOCK: Final = Step(f"SELECT pg_try_advisory_lock({_ALONE}) AS mine")
_UNLOCK: Final = Step(f"SELECT pg_advisory_unlock({_ALONE})")
_PARTS: Final = Step(
    """
    SELECT part.relname AS name, pg_get_expr(part.relpartbound, part.oid) AS bounds, inhdetachpending AS is_leaving,
      part.reltuples::bigint AS rows
    FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid WHERE inhparent = 'events'::regclass
    """
)
_LEFT: Final = Step(
    """
    SELECT relname AS name FROM pg_class WHERE relname ~ '^events_[0-9]{8}$' AND relkind = 'r' AND NOT relispartition
      AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)
    """
)
"""What was taken away from the log and not dropped: by us if it is forgotten, else by an operator, who may keep it."""
_FORGOTTEN: Final = Step("SELECT position FROM log_starts WHERE tenant_id = ''")
"""How far the log as a whole is forgotten."""
_MOVE_STARTS: Final = """
    WITH RECURSIVE tenants AS (
      SELECT min(tenant_id) AS tenant_id FROM events
      UNION ALL
      SELECT (SELECT min(tenant_id) FROM events WHERE tenant_id > tenants.tenant_id)
      FROM tenants WHERE tenant_id IS NOT NULL
    )
    INSERT INTO log_starts AS start (tenant_id, position)
    SELECT tenants.tenant_id, past.last FROM tenants, LATERAL (
      SELECT max(position) AS last FROM events WHERE tenant_id = tenants.tenant_id AND position < $1
    ) AS past WHERE past.last IS NOT NULL
    UNION ALL SELECT '', $1 - 1
    ON CONFLICT (tenant_id) DO UPDATE SET position = greatest(start.position, excluded.position)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the log: from `begin` on, or from the first event; before `end`, or open."""

    name: str
    begin: int | None
    end: int | None
    rows: int = 0
    """About how many events there are."""
    is_leaving: bool = False


async def forget_parts(connection: Connection, before: datetime) -> int:
    """Let all logs begin behind the parts that ended before a moment; tell about how many events that were."""
    (found,) = await connection.run([_PARTS])
    (forgotten,) = await connection.run([_FORGOTTEN])
    start = forgotten[0]["position"] if forgotten else -1
    past = [part for part in map(_part_of, found) if part.end is not None and start < part.end - 1 < to_micros(before)]
    if not past:
        return 0
    await connection.run([Step(_MOVE_STARTS, (max(part.end or 0 for part in past),))])
    return sum(max(part.rows, 1) for part in past)


class LogParts:
    """Makes parts ahead, and drops those that are forgotten. `moment` is the store's clock."""

    def __init__(self, database: Database, moment: Callable[[], datetime]) -> None:
        self._database = database
        self._moment = moment
        self._driver: Driver | None = None
        self._busy = asyncio.Lock()

    async def tidy(self) -> None:
        """Do what is due, unless somebody else does, as far as nobody has to wait for it."""
        if not self._busy.locked():
            async with self._busy:
                await self._tidy_alone()

    async def close(self) -> None:
        """Let the connection go; a lock goes with it."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.end()

    async def _tidy_alone(self) -> None:
        if self._driver is None:
            self._driver = await self._database.writing()
            await self._driver.run([_PATIENCE])
        try:
            await self._tidy(self._driver)
        except Contended:
            await self.close()
        except BaseException:
            await self.close()
            raise

    async def _tidy(self, driver: Driver) -> None:
        ((lock,),) = await driver.run([_LOCK])
        if not lock["mine"]:
            return
        parts, forgotten, left = await driver.run([_PARTS, _FORGOTTEN, _LEFT])
        start = forgotten[0]["position"] if forgotten else -1
        for row in left:
            if (await _newest_of(driver, row["name"])) <= start:
                await driver.run([Step(f"DROP TABLE {row['name']}", mute=True)])
        for part in sorted(map(_part_of, parts), key=lambda part: not part.is_leaving):
            if part.is_leaving:
                await _drop(driver, part, "FINALIZE")
            elif part.end is None:
                await self._make_ahead(driver, part)
            elif part.end - 1 <= start:
                await _drop(driver, part, "CONCURRENTLY")
        await driver.run([_UNLOCK])

    async def _make_ahead(self, driver: Driver, last: Part) -> None:
        """Close the open part, and open the next, until enough days have one."""
        now = self._moment()
        begin = last.begin
        name = last.name
        while begin is None or begin < to_micros(now + AHEAD):
            end = _next_day(max(to_micros(now) if begin is None else begin, await _newest_of(driver, name)))
            following = _name_of(end)
            await driver.run(_cut(name, begin, end, following))
            name, begin = following, end


def _cut(name: str, begin: int | None, end: int, following: str) -> Sequence[Step]:
    """Close a part, and open the one that follows it, as one."""
    lower = "MINVALUE" if begin is None else f"'{begin}'"
    texts = [
        f"ALTER TABLE events DETACH PARTITION {name}",
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({lower}) TO ('{end}')",
        f"CREATE TABLE {following} (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE)",
        f"ALTER TABLE {following} ADD CONSTRAINT {following}_sequence UNIQUE (tenant_id, session_uid, sequence)",
        f"ALTER TABLE events ATTACH PARTITION {following} FOR VALUES FROM ('{end}') TO (MAXVALUE)",
    ]
    return [Step(text, mute=True) for text in texts]


async def _drop(driver: Driver, part: Part, how: str) -> None:
    await driver.run([Step(f"ALTER TABLE events DETACH PARTITION {part.name} {how}", mute=True)])
    await driver.run([Step(f"DROP TABLE {part.name}", mute=True)])


async def _newest_of(driver: Driver, name: str) -> int:
    """The last position in a part; 0 if there is none."""
    ((newest,),) = await driver.run([Step(f"SELECT max(position) AS position FROM {name}")])
    return newest["position"] or 0


def _part_of(row: Row) -> Part:
    bounds = _BOUNDS.search(row["bounds"])
    begin, end = bounds.groups() if bounds else (None, None)
    return Part(
        name=row["name"],
        begin=None if begin is None else int(begin),
        end=None if end is None else int(end),
        rows=row["rows"],
        is_leaving=row["is_leaving"],
    )


def _next_day(position: int) -> int:
    """The first position of the day after that of a position."""
    day = from_micros(position).replace(hour=0, minute=0, second=0, microsecond=0)
    return to_micros(day + _DAY)


def _name_of(begin: int) -> str:
    return f"events_{from_micros(begin):%Y%m%d}"
