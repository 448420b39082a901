"""Telling: every change writes its event in the unit that makes it."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.events import NOBODY, Cause, draft
from gateway.domain.identities import Identity
from gateway.domain.ids import EVENT, make_id
from gateway.domain.sessions import Session
from gateway.ports.queue import EVENTS
from gateway.ports.unit_of_work import UnitOfWork
from wagate.v1 import event_pb2 as pb


async def tell(
    uow: UnitOfWork,
    session: Session,
    what: pb.Event,
    *,
    chat_id: str = "",
    actor: Identity | None = None,
    occur_time: datetime | None = None,
    cause: Cause = NOBODY,
) -> None:
    """Tell what happened in a session; `what` is an Event with nothing but its `what` set."""
    event = draft(
        what,
        event_id=make_id(EVENT),
        record_time=uow.now,
        session_id=session.session_id,
        session_uid=session.uid,
        chat_id=chat_id,
        actor=actor,
        occur_time=occur_time,
        cause=cause,
    )
    await uow.events.tell(session.tenant_id, event)
    uow.ring(EVENTS)


async def tell_tenant(uow: UnitOfWork, tenant_id: str, what: pb.Event, *, chat_id: str = "") -> None:
    """Tell what happened in a tenant as a whole."""
    event = draft(what, event_id=make_id(EVENT), record_time=uow.now, chat_id=chat_id)
    await uow.events.tell(tenant_id, event)
    uow.ring(EVENTS)
