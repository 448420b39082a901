"""The guard: where several processes write, whoever writes for a session holds its row until the commit.

So all that belongs to a session (its row, messages, receipts and events) is read and written by one transaction at a
time, as on SQLite, and READ COMMITTED shows each what the one before left: one statement locks, and what is read is
read by the next, which sees what was committed meanwhile. Rows are locked in the order of their uids by the first
statement that locks any; whoever then finds that it needs more does not wait for them, but begins anew and locks all of
them first. So nobody waits for a session while another waits for his: there is no deadlock.

People belong to no session: what a transaction reads of them is locked against being absorbed, and what it changes is
locked and compared with what it read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, String, any_, cast, func, select

from gateway.adapters.sql.connection import Connection
from gateway.adapters.sql.driver import Contended, Step
from gateway.adapters.sql.known import Known
from gateway.adapters.sql.lookups import Lookup, Question
from gateway.adapters.sql.shelf import UNKNOWN, Row
from gateway.adapters.sql.tables import sessions
from gateway.domain.clocks import from_micros
from gateway.ports.unit_of_work import Prefetch

_HELD: Final = select(sessions).where(
    sessions.c.uid == any_(func.string_to_array(func.current_setting("wagate.held", True), ","))
)
_TRANSACTION: Final = select(
    cast(func.pg_current_xact_id(), String).label("xact"),
    cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger).label("moment"),
)


class Needs:
    """Sessions that units turned out to need, by uid and by tenant and name."""

    def __init__(self) -> None:
        self.uids: set[str] = set()
        self.names: set[tuple[str, str]] = set()

    def meets(self, other: Needs) -> bool:
        """Whether both need the same, as far as it is known."""
        return not (self.uids.isdisjoint(other.uids) and self.names.isdisjoint(other.names))

    def add(self, other: Needs) -> None:
        """Need that, too."""
        self.uids |= other.uids
        self.names |= other.names


class Guard:
    """Of one transaction. A session that it knows is one that it holds, or adds."""

    def __init__(self, connection: Connection, known: Known, *, is_needed: bool) -> None:
        self._connection = connection
        self._known = known
        self._holds = False
        self.is_needed = is_needed
        self.needs = Needs()
        """All that was asked for."""
        self.asks_again = False
        """Whether it failed for what it found out late: begun anew with all its needs, it may well succeed."""
        self.xact = ""
        """The transaction, by the database's name for it, if known."""
        self.moment: datetime | None = None
        """When the last sessions were held, by the database's clock: later than all who held them before."""

    def lacks(self, session_uid: str) -> bool:
        """Whether a session would have to be held before anything of it is read."""
        return self.is_needed and self._known.sessions.find(session_uid) is UNKNOWN

    async def hold(
        self, uids: Iterable[str] = (), names: Iterable[tuple[str, str]] = (), lookups: Iterable[Lookup] = ()
    ) -> bool:
        """Hold some sessions, as far as they exist, and know their rows; tell whether any was not held before. If so,
        the lookups were made, too.
        """
        if not self.is_needed:
            return False
        new_uids = [uid for uid in uids if self._known.sessions.find(uid) is UNKNOWN]
        new_names = [name for name in names if self._known.session_names.find(name) is UNKNOWN]
        if not new_uids and not new_names:
            return False
        self.needs.uids.update(new_uids)
        self.needs.names.update(new_names)
        await self._lock(new_uids, new_names, lookups)
        return True

    async def _lock(self, uids: list[str], names: list[tuple[str, str]], lookups: Iterable[Lookup]) -> None:
        of_rows = Lookup(Question(_HELD, {}), lambda rows: self._learn(rows, uids, names))
        of_this = Lookup(Question(_TRANSACTION, {}), self._learn_transaction)
        try:
            await self._connection.look([of_rows, of_this, *lookups], first=self._steps(uids, names))
        except Contended:
            self.asks_again = self._holds
            raise
        self._holds = True

    def _steps(self, uids: list[str], names: list[tuple[str, str]]) -> Sequence[Step]:
        return self._connection.statements.idiom.hold(uids, names, at_once=self._holds)

    def _learn_transaction(self, rows: list[Row]) -> None:
        self.xact = rows[0]["xact"]
        self.moment = from_micros(rows[0]["moment"])

    def _learn(self, rows: list[Row], uids: list[str], names: list[tuple[str, str]]) -> None:
        for row in rows:
            self._known.sessions.learn(row["uid"], row)
            if row["deleted_time"] is None:
                self._known.session_names.learn((row["tenant_id"], row["session_id"]), row["uid"])
        for uid in uids:
            self._known.sessions.learn(uid, None)
        for name in names:
            self._known.session_names.learn(name, None)

    def compare(self, known: Row, locked: list[Row]) -> None:
        """Begin anew if a row is not any more what was read of it."""
        if not locked or any(known[name] != value for name, value in locked[0].items()):
            self.asks_again = True
            self._connection.fail(Contended("a row was changed meanwhile"))


def needs_of(prefetches: Iterable[Prefetch]) -> Needs:
    """The sessions that units said that they will read."""
    needs = Needs()
    for prefetch in prefetches:
        needs.uids.update(prefetch.owned)
        needs.names.update(prefetch.sessions)
    return needs
