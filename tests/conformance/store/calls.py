"""Calls that change a store, made from a few choices, so that many of them meet on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.domain.errors import RequestIdReused, SessionNotFound
from gateway.domain.identities import Identity, Kind
from gateway.domain.messages import Level, Receipt, State
from gateway.domain.requests import RequestKey, RequestRecord
from gateway.domain.sessions import Session
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
            return known and (known.message_id, known.ordinal)
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


def people() -> list[Identity]:
    """Everyone whom calls are about."""
    return [Identity(one, Kind.KIND_PERSON, NOON, lid=f"{number}@lid") for number, one in enumerate(PEOPLE)]
