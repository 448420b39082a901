"""Resources as the contract shows them, put together from what a unit reads."""

from __future__ import annotations

from typing import Final

from gateway.domain.access import Call
from gateway.domain.messages import Message
from gateway.domain.retention import FOR_EVER, Retention
from gateway.domain.sessions import SAYS_THAT_A_LINE_IS_OPEN, Session, State
from gateway.ports.provider import Dialects
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.holds import hold_of
from wagate.v1 import message_pb2, session_pb2

RAW_SCOPE: Final = "messages:raw"
"""Who holds it sees the provider's own bytes."""


class Views:
    """Shows sessions and messages."""

    def __init__(self, providers: Dialects, retention: Retention = FOR_EVER) -> None:
        self._providers = providers
        self._seconds_kept = int(retention.messages.total_seconds()) if retention.messages is not None else None

    async def status(self, uow: UnitOfWork, session: Session) -> session_pb2.SessionStatus:
        """What is the case with a session."""
        account = await uow.identities.get(session.tenant_id, session.account_id) if session.account_id else None
        outbox = await uow.sessions.outbox(session.uid)
        capabilities = self._providers.of(session.provider).capabilities
        return session.status_proto(uow.now, account, outbox, capabilities)

    async def session(self, uow: UnitOfWork, session: Session) -> session_pb2.Session:
        """A session, whole. Whatever its owner stored last: without an owner it has no line."""
        status = await self.status(uow, session)
        if session.state in SAYS_THAT_A_LINE_IS_OPEN and not await uow.fences.is_held(session.uid):
            status.state = State.STATE_STARTING
            status.ClearField("failure")
        return session.to_proto(status)

    async def message_for(self, uow: UnitOfWork, call: Call, message: Message) -> message_pb2.Message:
        """A message as far as the caller may see it."""
        shown = await self.message(uow, message)
        if not call.caller.holds(RAW_SCOPE):
            hide_raw_of(shown)
        return shown

    async def message(self, uow: UnitOfWork, message: Message) -> message_pb2.Message:
        """A message, whole."""
        session = await uow.sessions.get_by_uid(message.session_uid)
        chat = await uow.identities.get(message.tenant_id, message.chat_id)
        sender = await uow.identities.get(message.tenant_id, message.sender_id)
        if session is None or chat is None or sender is None:
            raise LookupError(f"message {message.message_id} stands nowhere")
        return self.dated(message.to_proto(chat, sender, await hold_of(uow, message, session)))

    def dated(self, shown: message_pb2.Message) -> message_pb2.Message:
        """A message that is shown, with when it expires."""
        if self._seconds_kept is not None:
            shown.expire_time.CopyFrom(shown.create_time)
            shown.expire_time.seconds += self._seconds_kept
        return shown


def hide_raw_of(message: message_pb2.Message) -> None:
    """Take the provider's bytes out of a message."""
    if message.content.HasField("unsupported"):
        message.content.unsupported.ClearField("raw")
