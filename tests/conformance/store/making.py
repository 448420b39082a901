"""Sessions, people, messages and events to store."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from gateway.domain.access import DEFAULT_TENANT
from gateway.domain.events import draft
from gateway.domain.identities import Identity, Names, new_person
from gateway.domain.ids import EVENT, MESSAGE, make_id
from gateway.domain.messages import Direction, Message, Origin, State
from gateway.domain.sessions import Session, new_session
from gateway.ports.unit_of_work import Store, UnitOfWork
from tests.conformance.store.stage import NOON
from wagate.v1 import content_pb2, event_pb2

TENANT = DEFAULT_TENANT
_numbers = count(1)


def text(body: str = "Good morning") -> content_pb2.Content:
    """A content that says something."""
    return content_pb2.Content(text=content_pb2.Text(text=body))


def person(**names: str) -> Identity:
    """A person with a phone number of their own, unless told otherwise."""
    return new_person(Names(**(names or {"phone_number": f"+49151{next(_numbers):08}"})), NOON)


def message(session: Session, chat_id: str = "p_ada", **changes: Any) -> Message:
    """An outbound message that waits to be sent."""
    fields: dict[str, Any] = {
        "tenant_id": session.tenant_id,
        "message_id": make_id(MESSAGE),
        "session_id": session.session_id,
        "session_uid": session.uid,
        "chat_id": chat_id,
        "sender_id": "p_own",
        "direction": Direction.DIRECTION_OUTBOUND,
        "origin": Origin.ORIGIN_API,
        "state": State.STATE_QUEUED,
        "content": text(),
        "create_time": NOON,
        "due_time": NOON,
        "give_up_time": NOON + timedelta(hours=24),
    }
    return Message(**fields | changes)


async def tell(
    unit: UnitOfWork, session: Session | None = None, *, tenant_id: str = TENANT, chat_id: str = "", kind: str = ""
) -> str:
    """Tell an event of a session, or of the tenant; return its id."""
    what = event_pb2.Event()
    getattr(what, kind or ("session_updated" if session else "identity_merged")).SetInParent()
    event = draft(
        what,
        event_id=make_id(EVENT),
        record_time=unit.now,
        session_id=session.session_id if session else "",
        session_uid=session.uid if session else "",
        chat_id=chat_id,
    )
    await unit.events.tell(tenant_id, event)
    return event.event_id


async def stored_session(store: Store, session_id: str = "sales", *, tenant_id: str = TENANT) -> Session:
    """A session that is stored."""
    session = new_session(tenant_id, session_id, "web", NOON)
    await store.write(lambda unit: unit.sessions.add(session))
    return session


async def stored(store: Store, *messages: Message) -> None:
    """Store messages, in this order."""

    async def add(unit: UnitOfWork) -> None:
        for one in messages:
            await unit.messages.add(one)

    await store.write(add)


async def told(store: Store, count_of: int, session: Session | None = None, **options: Any) -> list[str]:
    """Tell some events in one unit; return their ids."""

    async def work(unit: UnitOfWork) -> list[str]:
        return [await tell(unit, session, **options) for _ in range(count_of)]

    return await store.write(work)


def ids(messages: list[Message]) -> list[str]:
    """Which messages these are."""
    return [one.message_id for one in messages]


def at(hours: float) -> datetime:
    """A moment so many hours after noon."""
    return NOON + timedelta(hours=hours)
