"""What a line tells, stored: each fact is settled only after its commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

import structlog

from gateway.domain.errors import LeaseLost, StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    CodeShown,
    DeviceLinked,
    Fact,
    LineChanged,
    LineState,
    MessageArrived,
    MessageUndecryptable,
    NamesLearned,
    OfflineSync,
    PairingFailed,
    PasskeyWanted,
    ReachoutRestricted,
    ReceiptArrived,
)
from gateway.ports.provider import Incoming, Line
from gateway.workers.line_groups import ReadAhead, is_repeated, runs_of_messages
from gateway.workers.outbox_sender import OutboxSender
from gateway.workers.owner_pairing import OwnerPairing
from gateway.workers.owner_tools import OwnerTools

_ON_THE_WAY: Final = frozenset({LineState.OPENING, LineState.RECONNECTING, LineState.DEGRADED})

log = structlog.get_logger(__name__)


class LineReader:
    """Reads one line.

    `away_since` is when the session was last connected, if that is known and not now; `settled` is set once the line is
    no longer on its way.
    """

    def __init__(
        self,
        lease: Lease,
        tools: OwnerTools,
        pairing: OwnerPairing,
        sender: OutboxSender,
        away_since: datetime | None,
    ) -> None:
        self._lease = lease
        self._tools = tools
        self._pairing = pairing
        self._sender = sender
        self._taken_in = self._refused_until = 0
        self.settled = asyncio.Event()
        self.away_since = away_since

    async def run(self, line: Line) -> None:
        """Store what the line tells, until it is gone (LineGone) or the lease is lost (LeaseLost)."""
        ahead = ReadAhead(line)
        async with aclosing(ahead.groups()) as groups:
            async for group in groups:
                await self._take_in(group, ahead)

    async def _take_in(self, group: Sequence[Incoming], ahead: ReadAhead) -> None:
        """Store what was told by now, messages behind each other together. After a refusal whatever was read ahead by
        then is refused too, in this group and those behind it.
        """
        for run in runs_of_messages(group):
            started = time.monotonic()
            refused = self._taken_in < self._refused_until
            self._taken_in += len(run)
            stored = 0 if refused and is_repeated(run[0].fact) else await self._store_all(run)
            for item in run[:stored]:
                await item.settle()
                self._tools.meter.inbound_committed(time.monotonic() - started)
            for item in run[stored:]:
                await item.refuse()
                self._tools.meter.inbound_refused()
                if is_repeated(item.fact) and not refused:
                    self._refused_until = ahead.count

    async def _store_all(self, run: Sequence[Incoming]) -> int:
        """Store facts, in one commit if they can be; tell how many are stored. A fault of ours in one fact must not end
        the line: the engine tells it again, and after some refusals in a form that is always stored.
        """
        messages = [item.fact for item in run if isinstance(item.fact, MessageArrived)]
        if len(messages) > 1 and await self._store(self._tools.inbox.messages(self._lease, messages)):
            return len(run)
        for place, item in enumerate(run):
            if not await self._store(self._take(item.fact)):
                return place
        return len(run)

    async def _store(self, storing: Awaitable[None]) -> bool:
        try:
            await storing
        except LeaseLost:
            raise
        except StoreUnavailable:
            log.warning("The database does not take what arrives.", session_uid=self._lease.session_uid)
            return False
        except Exception:
            log.exception("What arrived could not be stored.", session_uid=self._lease.session_uid)
            return False
        return True

    async def _take(self, fact: Fact) -> None:
        match fact:
            case MessageArrived():
                await self._tools.inbox.message(self._lease, fact)
            case ReceiptArrived():
                await self._tools.receipts.take(self._lease, fact)
            case MessageUndecryptable():
                await self._tools.inbox.undecryptable(self._lease, fact)
            case NamesLearned():
                await self._tools.inbox.names(self._lease, fact)
            case LineChanged():
                await self._line_changed(fact)
            case OfflineSync():
                await self._offline_sync(fact)
            case ReachoutRestricted():
                await self._tools.restrictions.reachout(self._lease, fact)
            case CodeShown() | PasskeyWanted() | DeviceLinked() | PairingFailed():
                await self._pairing.step(fact)

    async def _line_changed(self, fact: LineChanged) -> None:
        if fact.state is LineState.CLOSED:
            self._sender.disconnected()
            return
        session = await self._tools.lines.changed(self._lease, fact)
        if fact.state not in _ON_THE_WAY:
            self.settled.set()
        if fact.state is LineState.CONNECTED:
            await self._pairing.connected(session)
            self._sender.connected()
            return
        if fact.state is LineState.DEGRADED:
            self._sender.degraded()
        else:
            self._sender.disconnected()
        if fact.state is not LineState.OPENING and self.away_since is None and session.device is not None:
            self.away_since = datetime.now(UTC)

    async def _offline_sync(self, fact: OfflineSync) -> None:
        if not fact.completed:
            return
        if self.away_since is not None or fact.item_count:
            await self._tools.inbox.caught_up(self._lease, fact.item_count, self.away_since)
        self.away_since = None
        self._sender.caught_up()
