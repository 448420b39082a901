"""The unit of work, as units meet it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from gateway.adapters.sql.due import SqlDue
from gateway.adapters.sql.events import SqlEvents
from gateway.adapters.sql.fences import SqlFences
from gateway.adapters.sql.guard import Needs
from gateway.adapters.sql.identities import SqlIdentities
from gateway.adapters.sql.messages import SqlMessages
from gateway.adapters.sql.past import SqlPast
from gateway.adapters.sql.questions import SqlQuestions
from gateway.adapters.sql.receipts import SqlReceipts
from gateway.adapters.sql.requests import SqlRequests
from gateway.adapters.sql.sessions import SqlSessions, lookups_by_uid
from gateway.adapters.sql.transaction import Transaction
from gateway.adapters.sql.workers import SqlWorkers
from gateway.domain.addresses import Address
from gateway.domain.requests import RequestKey
from gateway.ports import unit_of_work as port


class SqlUnitOfWork:
    """See `gateway.ports.unit_of_work.UnitOfWork`. The units of a group share one, each in its turn."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.sql_fences = SqlFences(transaction)
        self.sql_workers = SqlWorkers(transaction)
        self.sql_questions = SqlQuestions(transaction)
        self.sql_due = SqlDue(transaction)
        self._sessions = SqlSessions(transaction)
        self._messages = SqlMessages(transaction)
        self._identities = SqlIdentities(transaction)
        self._requests = SqlRequests(transaction)
        self.sessions: port.Sessions = self._sessions
        self.messages: port.Messages = self._messages
        self.receipts: port.Receipts = SqlReceipts(transaction)
        self.identities: port.Identities = self._identities
        self.events: port.Events = SqlEvents(transaction)
        self.requests: port.Requests = self._requests
        self.fences: port.Fences = self.sql_fences
        self.workers: port.Workers = self.sql_workers
        self.past: port.Past = SqlPast(transaction)

    @property
    def now(self) -> datetime:
        """See `gateway.ports.unit_of_work.UnitOfWork.now`."""
        return self._transaction.now

    def ring(self, bell: str) -> None:
        """See `gateway.ports.unit_of_work.UnitOfWork.ring`."""
        self._transaction.changing()
        self._transaction.bells.put(bell, bell)

    async def prefetch(self, wanted: Iterable[port.Prefetch], needs: Needs) -> None:
        """Read at once what the units of a group will surely read; where others write, hold what they need first."""
        guard = self._transaction.guard
        sessions: dict[str, set[str]] = defaultdict(set)
        addresses: dict[str, set[Address]] = defaultdict(set)
        requests: list[RequestKey] = []
        owned: list[str] = []
        messages: list[str] = []
        for prefetch in wanted:
            for tenant_id, session_id in prefetch.sessions:
                sessions[tenant_id].add(session_id)
            for tenant_id, address in prefetch.addresses:
                addresses[tenant_id].add(address)
            requests += prefetch.requests
            owned += prefetch.owned
            messages += prefetch.messages
        lookups = list(self._requests.lookups(dict.fromkeys(requests)))
        lookups += self.sql_fences.lookups(dict.fromkeys(owned))
        lookups += self._messages.lookups(dict.fromkeys(messages))
        for tenant_id, session_ids in sessions.items():
            lookups += self._identities.account_lookups(tenant_id, session_ids)
        for tenant_id, some in addresses.items():
            lookups += self._identities.lookups(tenant_id, some)
        if not guard.is_needed:
            lookups += lookups_by_uid(self._transaction.sessions, dict.fromkeys(owned))
            for tenant_id, session_ids in sessions.items():
                lookups += self._sessions.lookups(tenant_id, sorted(session_ids))
        if not await guard.hold(needs.uids, needs.names, lookups):
            await self._transaction.connection.look(lookups)
