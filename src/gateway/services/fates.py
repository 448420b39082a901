"""What becomes of a message: each step is stored and told in one unit."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.events import Cause
from gateway.domain.identities import Identity
from gateway.domain.messages import Message
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.log import tell
from wagate.v1 import event_pb2


async def tell_status(
    uow: UnitOfWork,
    session: Session,
    message: Message,
    *,
    participant: Identity | None = None,
    occur_time: datetime | None = None,
) -> None:
    """Store a message that took one step, under its next revision, and tell the step."""
    message.revision += 1
    await uow.messages.save(message)
    changed = event_pb2.MessageStatusChanged(
        message_id=message.message_id,
        revision=message.revision,
        state=message.state,
        reach=message.reach.to_proto(),
        failure=message.failure,
        hold=message.hold.to_proto() if message.hold else None,
        participant=participant.to_proto() if participant else None,
        metadata=message.metadata,
    )
    await tell(
        uow,
        session,
        event_pb2.Event(message_status_changed=changed),
        chat_id=message.chat_id,
        actor=participant,
        occur_time=occur_time,
        cause=Cause(message.request_id, message.correlation_id),
    )
