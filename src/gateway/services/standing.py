"""How a session stands: a change is stored and told in one unit."""

from __future__ import annotations

from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.log import tell
from gateway.services.views import Views
from wagate.v1 import event_pb2


async def tell_standing(uow: UnitOfWork, views: Views, previous: Session, session: Session) -> None:
    """Store a session that changed, under its next revision, and tell how it stands; nothing if it did not change."""
    if session == previous:
        return
    session.revision += 1
    if session.state != previous.state:
        session.since_time = uow.now
    await uow.sessions.save(session)
    changed = event_pb2.SessionStateChanged(status=await views.status(uow, session), previous_state=previous.state)
    await tell(uow, session, event_pb2.Event(session_state_changed=changed))
