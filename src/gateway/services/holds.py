"""Holds: why a message that is due waits."""

from __future__ import annotations

from typing import Final

from gateway.domain.messages import Hold, HoldKind, Message
from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import Forbidden, Session, State
from gateway.ports.unit_of_work import UnitOfWork

_AT_REST: Final = frozenset({State.STATE_STOPPED, State.STATE_STOPPING, State.STATE_LOGGED_OUT})


async def hold_of(uow: UnitOfWork, message: Message, session: Session) -> Hold | None:
    """Why a message waits: its session, else its own reason, else what is before it in its chat. What is unconfirmed
    waits for its repeat, unless it is its own reason, or its chat is closed.
    """
    if message.state == MessageState.STATE_UNCONFIRMED:
        return message.hold or await _hold_by_reachout(uow, message, session)
    if message.state != MessageState.STATE_QUEUED:
        return message.hold
    hold = await hold_by_session(uow, message, session)
    if hold is None and not await uow.fences.is_held(session.uid):
        hold = Hold(HoldKind.KIND_SESSION)
    hold = hold or message.hold
    return hold or await _hold_by_front(uow, message)


async def hold_by_session(uow: UnitOfWork, message: Message, session: Session) -> Hold | None:
    """Why the session holds a queued message: a ban, the line, or a chat that it may not begin now."""
    banned = session.restriction(Forbidden.KIND_BANNED, uow.now)
    if banned is not None and session.state not in _AT_REST:
        return Hold(HoldKind.KIND_RESTRICTION, banned.until_time)
    if session.state != State.STATE_CONNECTED:
        return Hold(HoldKind.KIND_SESSION)
    return await _hold_by_reachout(uow, message, session)


async def _hold_by_reachout(uow: UnitOfWork, message: Message, session: Session) -> Hold | None:
    locked = session.restriction(Forbidden.KIND_REACHOUT, uow.now)
    if locked is not None and not await uow.messages.known_chats(session, [message.chat_id]):
        return Hold(HoldKind.KIND_RESTRICTION, locked.until_time)
    return None


async def _hold_by_front(uow: UnitOfWork, message: Message) -> Hold | None:
    front = await uow.messages.chat_front(message.session_uid, message.chat_id, uow.now)
    if front is None or front.message_id == message.message_id:
        return None
    return Hold(HoldKind.KIND_UNCONFIRMED) if front.state == MessageState.STATE_UNCONFIRMED else front.hold
