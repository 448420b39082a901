"""Calls that change a store, made from a few choices, so that many of them meet on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from gateway.domain.errors import RequestIdReused, SessionNotFound
from gateway.domain.identities import Identity, Kind
from gateway.domain.messages import Level, Receipt, State
from gateway.domain.requests import RequestKey, RequestRecord
from gateway.domain.sessions import Session, new_session
from gateway.ports.unit_of_work import NOTHING, Prefetch, UnitOfWork
from tests.conformance.store.making import TENANT, message, tell, text
from tests.conformance.store.stage import NOON

SESSIONS = ("help", "sales")
PEOPLE = ("p_0", "p_1", "p_2", "p_3")


class Refused(Exception):
    """A unit decided against it."""


class Call(Protocol):
    """One unit, which does and answers the same whenever it meets the same rows."""

    @property
    def prefetch(self) -> Prefetch:
        """What it will surely read."""

    async def work(self, unit: UnitOfWork, number: int) -> object:
        """Do it; `number` tells the calls of a run apart."""


async def session_of(unit: UnitOfWork, name: str) -> Session:
    session = await unit.sessions.get(TENANT, name)
    if session is None:
        raise SessionNotFound
    return session


@dataclass(frozen=True)
class Accept:
    """Take a message in, perhaps under a request id and with an id of the provider that is taken."""

    session_id: str
    request_id: str
    body: str
    provider_message_id: str
    counts: bool
    fails: bool

    @property
    def key(self) -> RequestKey:
        return RequestKey(TENANT, "SendMessage", self.session_id, self.request_id)

    @property
    def prefetch(self) -> Prefetch:
        return Prefetch(sessions=((TENANT, self.session_id),), requests=(self.key,) if self.request_id else ())

    async def work(self, unit: UnitOfWork, number: int) -> object:
        session = await session_of(unit, self.session_id)
        done = await unit.requests.find(self.key) if self.request_id else None
        if done is not None:
            if done.fingerprint != self.body.encode():
                raise RequestIdReused
            known = await unit.messages.get(TENANT, done.resource_id)
            return known and (known.message_id, known.ordinal > 0)
        new = message(
            session,
            message_id=f"m_{number}",
            content=text(self.body),
            provider_message_id=self.provider_message_id,
            request_id=self.request_id,
        )
        await unit.messages.add(new)
        await tell(unit, session, kind="message_accepted")
        if self.request_id:
            await unit.requests.add(RequestRecord(self.key, self.body.encode(), new.message_id, NOON))
        waiting = (await unit.sessions.outbox(session.uid)).count if self.counts else 0
        if self.fails:
            raise Refused
        return new.message_id, waiting


@dataclass(frozen=True)
class Progress:
    """What a session's owner writes, with a fence that it holds or has lost."""

    session_id: str
    fence: int
    fails: bool
    prefetch: Prefetch = NOTHING

    async def work(self, unit: UnitOfWork, number: int) -> object:
        session = await session_of(unit, self.session_id)
        await unit.fences.check(session.uid, self.fence)
        for head in (await unit.messages.chat_heads(session.uid, unit.now))[:1]:
            head.state = State.STATE_SENT
            head.revision += 1
            await unit.messages.save(head)
            receipt = await unit.receipts.get(head.message_id, "p_0") or Receipt(TENANT, head.message_id, "p_0")
            receipt.advance(Level.LEVEL_DELIVERED, NOON)
            await unit.receipts.save(receipt)
            await tell(unit, session, kind="message_status_changed")
        session.display_name += str(number)
        await unit.sessions.save(session)
        await unit.fences.check(session.uid, self.fence)
        if self.fails:
            raise Refused
        return session.display_name


@dataclass(frozen=True)
class Join:
    """Find out that two people are one."""

    keep_id: str
    absorbed_id: str
    fails: bool
    prefetch: Prefetch = NOTHING

    async def work(self, unit: UnitOfWork, number: int) -> object:
        keep, absorbed = [await unit.identities.get(TENANT, one) for one in (self.keep_id, self.absorbed_id)]
        if keep is None or absorbed is None or keep.identity_id == absorbed.identity_id:
            return None
        keep.lid, keep.display_name = keep.lid or absorbed.lid, str(number)
        await unit.identities.save(TENANT, keep)
        await unit.messages.move_chat(TENANT, absorbed.identity_id, keep.identity_id)
        await unit.identities.absorb(TENANT, keep.identity_id, absorbed.identity_id)
        await tell(unit)
        if self.fails:
            raise Refused
        return await unit.identities.get(TENANT, self.absorbed_id)


@dataclass(frozen=True)
class Create:
    """Make a session, unless there is one of that id."""

    session_id: str
    fails: bool
    prefetch: Prefetch = NOTHING

    async def work(self, unit: UnitOfWork, number: int) -> object:
        known = await unit.sessions.get(TENANT, self.session_id)
        if known is not None:
            return known.uid
        session = replace(new_session(TENANT, self.session_id, "web", NOON), uid=f"s_{number}", etag="")
        await unit.sessions.add(session)
        await tell(unit, session, kind="session_created")
        if self.fails:
            raise Refused
        return session.uid


@dataclass(frozen=True)
class Delete:
    """Delete a session, known by its uid as owners know it; a second time changes nothing."""

    session_uid: str
    fails: bool
    prefetch: Prefetch = NOTHING

    async def work(self, unit: UnitOfWork, number: int) -> object:
        session = await unit.sessions.get_by_uid(self.session_uid)
        if session is None:
            return None
        session.deleted_time = session.deleted_time or NOON
        session.display_name = str(number)
        await unit.sessions.save(session)
        await tell(unit, session, kind="session_deleted")
        if self.fails:
            raise Refused
        return [one.uid for one in await unit.sessions.page(TENANT, after="", limit=9)] if number % 2 else None


@dataclass(frozen=True)
class Receive:
    """Take in what a person wrote, once."""

    session_id: str
    sender_id: str
    provider_message_id: str
    fails: bool
    prefetch: Prefetch = NOTHING

    async def work(self, unit: UnitOfWork, number: int) -> object:
        session = await session_of(unit, self.session_id)
        sender = await unit.identities.get(TENANT, self.sender_id)
        who = sender.identity_id if sender else self.sender_id
        known = await unit.messages.find_inbound(session.uid, who, who, self.provider_message_id, "")
        if known is not None:
            return known.message_id, known.chat_id
        names: dict[str, Any] = {"message_id": f"m_{number}", "provider_message_id": self.provider_message_id}
        arrived = message(session, who, sender_id=who, state=State.STATE_RECEIVED, **names)
        await unit.messages.add(arrived)
        await tell(unit, session, kind="message_received")
        if self.fails:
            raise Refused
        found = await unit.messages.find_in_chat(session.uid, who, self.provider_message_id)
        return found and found.message_id


def people() -> list[Identity]:
    """Everyone whom calls are about."""
    return [Identity(one, Kind.KIND_PERSON, NOON, lid=f"{number}@lid") for number, one in enumerate(PEOPLE)]
