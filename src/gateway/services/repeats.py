"""Repeats: one request_id, one effect. The key, the fingerprint and the effect share one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.message import Message as Proto

from gateway.domain.access import Call
from gateway.domain.addresses import Address
from gateway.domain.clocks import to_timestamp
from gateway.domain.errors import RequestIdReused
from gateway.domain.requests import RequestKey, RequestRecord, fingerprint
from gateway.ports.unit_of_work import Prefetch, UnitOfWork


class Repeat:
    """What is known of one request's `request_id`; a request without one is never a repeat."""

    def __init__(self, call: Call, rpc: str, session_id: str, request_id: str, request: Proto) -> None:
        self._tenant_id = call.tenant_id
        self._session_id = session_id
        self.key = RequestKey(call.tenant_id, rpc, session_id, request_id) if request_id else None
        self._fingerprint = fingerprint(request) if request_id else b""

    def needs(self, *message_ids: str, addresses: Iterable[Address] = ()) -> Prefetch:
        """What the request's unit will surely read: what was done under its id, its session, and these. A unit that
        says its session beforehand goes by a moment that is later than all that others wrote for it.
        """
        return Prefetch(
            sessions=((self._tenant_id, self._session_id),) if self._session_id else (),
            addresses=tuple((self._tenant_id, address) for address in addresses),
            requests=(self.key,) if self.key else (),
            messages=message_ids,
        )

    async def earlier(self, uow: UnitOfWork) -> RequestRecord | None:
        """What an earlier call with this id did.

        Raises:
            RequestIdReused: it had another body.
        """
        record = await uow.requests.find(self.key) if self.key else None
        if record is not None:
            self.check_same(record)
        return record

    def check_same(self, record: RequestRecord) -> None:
        """Refuse to be taken for another request.

        Raises:
            RequestIdReused: that one had another body.
        """
        if record.fingerprint != self._fingerprint:
            first_used = to_timestamp(record.create_time).ToJsonString()
            raise RequestIdReused(field="request_id", request_id=record.key.request_id, first_used_time=first_used)

    def record(self, now: datetime, resource_id: str = "", answer: bytes = b"") -> RequestRecord:
        """What is to be remembered; only of a request with an id."""
        if self.key is None:
            raise ValueError("nothing is remembered without a request_id")
        return RequestRecord(self.key, self._fingerprint, resource_id, now, answer)

    async def remember(self, uow: UnitOfWork, resource_id: str, answer: bytes = b"") -> None:
        """Remember what this call did, if it has an id."""
        if self.key is not None:
            await uow.requests.add(self.record(uow.now, resource_id, answer))
