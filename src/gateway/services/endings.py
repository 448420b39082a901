"""Ends of messages that were not sent: with their session, or because WhatsApp never confirmed them."""

from __future__ import annotations

from typing import Final

from gateway.domain.messages import Message, State
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.fates import tell_status
from wagate.v1 import error_reason_pb2 as reasons

_AT_ONCE: Final = 500

_SENTENCES: Final = {
    reasons.ERROR_REASON_SESSION_DELETED: "The session was deleted while the message waited.",
    reasons.ERROR_REASON_SESSION_LOGGED_OUT: "The session was logged out while the message waited.",
}


async def end_outbox(uow: UnitOfWork, session: Session, reason: reasons.ErrorReason.ValueType) -> None:
    """End every message that waits in a session's outbox as FAILED, and tell each."""
    last: Message | None = None
    while waiting := await uow.messages.unsent(session.uid, after=last, limit=_AT_ONCE):
        for message in waiting:
            await _end(uow, session, message, reason)
        last = waiting[-1]


async def end_unconfirmed(uow: UnitOfWork, session: Session, message: Message) -> None:
    """End a message of which nobody will know whether it left, as FAILED, and tell it."""
    failure = reasons.Failure(
        reason=reasons.ERROR_REASON_NEVER_CONFIRMED,
        message="WhatsApp never said that it has the message: it may have arrived, or not.",
    )
    await _fail(uow, session, message, failure)


async def _end(uow: UnitOfWork, session: Session, message: Message, reason: reasons.ErrorReason.ValueType) -> None:
    failure = reasons.Failure(reason=reason, message=_SENTENCES[reason], metadata={"session_id": session.session_id})
    await _fail(uow, session, message, failure)


async def _fail(uow: UnitOfWork, session: Session, message: Message, failure: reasons.Failure) -> None:
    message.move(State.STATE_FAILED)
    message.failure = failure
    message.hold = None
    message.next_attempt_time = None
    await tell_status(uow, session, message)
