"""The outbox, as its session's owner works it: begun, finished, repeated, given up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile, zip_longest
from typing import Final

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import Outgoing, Quoted, Refused, SendOutcome, Sent
from gateway.domain.messages import REPEATS_AT_MOST, Message, State
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.endings import end_unconfirmed
from gateway.services.fates import tell_status
from gateway.services.identities import learn
from gateway.services.outcomes import REACHOUT_LOCKED, apply, expire, lose_sight
from gateway.services.ownership import needs, owned_session
from gateway.services.restrictions import forbid_reachout, forbidden_chats
from gateway.services.views import Views
from wagate.v1 import content_pb2

_AT_ONCE: Final = 500
_LOOK_AHEAD: Final = 16
"""So many that follow heads are looked up with them, in all chats together."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A message as it was finished, if it still exists; and the one that was begun with it, as a line wants it."""

    message: Message | None
    begun: Outgoing | None = None

    @property
    def lets_go_on(self) -> bool:
        """Whether the next in its chat may be sent: this one has left or ended, or is passed over for a while."""
        message = self.message
        if message is None or message.state not in (State.STATE_QUEUED, State.STATE_UNCONFIRMED):
            return True
        return message.state == State.STATE_QUEUED and message.next_attempt_time is not None


class Outbox:
    """Each call is one commit, under the owner's fence."""

    def __init__(self, store: Store, views: Views) -> None:
        self._store = store
        self._views = views

    async def recover(self, lease: Lease) -> None:
        """Say of what was being handed over when the line, or an earlier owner, ended that the outcome is not known."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            last: Message | None = None
            while waiting := await uow.messages.unsent(session.uid, after=last, limit=_AT_ONCE):
                for message in waiting:
                    if message.state == State.STATE_SENDING:
                        lose_sight(message, session)
                        await tell_status(uow, session, message)
                last = waiting[-1]

        await self._store.write(work, needs(lease))

    async def heads(self, lease: Lease) -> list[Message]:
        """The first unsent message of each chat in which something may be sent, the one due first at the front."""

        async def work(uow: UnitOfWork) -> list[Message]:
            return await _heads(uow, lease)

        return await self._store.read(work)

    async def turns(self, lease: Lease) -> list[Message]:
        """The heads; and behind all of them, unless they are many, those that may follow them, chat by chat in turn."""

        async def work(uow: UnitOfWork) -> list[Message]:
            heads = await _heads(uow, lease)
            ahead = _LOOK_AHEAD // max(len(heads), 1)
            chats = [[head, *(await _behind(uow, head, ahead) if ahead else ())] for head in heads]
            return [message for turn in zip_longest(*chats) for message in turn if message is not None]

        return await self._store.read(work)

    async def begin(self, lease: Lease, message_id: str) -> Outgoing | None:
        """Note that a message is being handed over, and show it as a line wants it; None if it must not be now."""

        async def work(uow: UnitOfWork) -> Outgoing | None:
            return await _begin(uow, await owned_session(uow, lease), message_id)

        return await self._store.write(work, needs(lease, message_id))

    async def finish(
        self,
        lease: Lease,
        message_id: str,
        outcome: SendOutcome,
        pause: timedelta = timedelta(0),
        then: Message | None = None,
    ) -> Finished:
        """Note what came of handing a message over; `pause` is how long it waits if it did not leave. What a receipt
        settled meanwhile stays settled. Then begin another, unless it is behind one in its chat that is still to leave.
        """

        async def work(uow: UnitOfWork) -> Finished:
            session = await owned_session(uow, lease)
            finished = Finished(await self._finish(uow, session, message_id, outcome, pause))
            if then is not None and await _may_follow(uow, then, finished):
                return replace(finished, begun=await _begin(uow, session, then.message_id))
            return finished

        return await self._store.write(work, needs(lease, message_id, *([then.message_id] if then else ())))

    async def _finish(
        self, uow: UnitOfWork, session: Session, message_id: str, outcome: SendOutcome, pause: timedelta
    ) -> Message | None:
        if isinstance(outcome, Sent) and outcome.to.lid:
            await _learn_recipient(uow, session, message_id, outcome.to)
        message = await uow.messages.get(session.tenant_id, message_id)
        if message is not None and message.state == State.STATE_SENDING:
            apply(message, outcome, session, now=uow.now, pause=pause)
            moment = outcome.send_time if isinstance(outcome, Sent) else None
            await tell_status(uow, session, message, occur_time=moment)
            if isinstance(outcome, Refused) and outcome.provider_code == REACHOUT_LOCKED:
                await self._reachout_refused(uow, session, message)
        return message

    async def _reachout_refused(self, uow: UnitOfWork, session: Session, message: Message) -> None:
        """In a chat that was there before, the same number says that WhatsApp misses something in the message alone."""
        if not await uow.messages.known_chats(session, [message.chat_id]):
            await forbid_reachout(uow, self._views, session)

    async def conclude(self, lease: Lease, message_id: str) -> None:
        """End a message that stayed unconfirmed through all its repeats, so that its chat goes on."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            message = await uow.messages.get(session.tenant_id, message_id)
            if message is not None and message.is_repeated_out:
                await end_unconfirmed(uow, session, message)

        await self._store.write(work, needs(lease, message_id))

    async def expire_overdue(self) -> int:
        """End what was not sent by its give_up_time, in all sessions; tell how many. What is being handed over at this
        moment is left to its owner.
        """
        if not await self._store.read(_any_overdue):
            return 0

        async def work(uow: UnitOfWork) -> int:
            overdue = await uow.messages.overdue(uow.now, _AT_ONCE)
            for message in overdue:
                session = await uow.sessions.get_by_uid(message.session_uid)
                if session is not None:
                    expire(message)
                    await tell_status(uow, session, message)
            return len(overdue)

        return await self._store.write(work)


async def _any_overdue(uow: UnitOfWork) -> bool:
    return bool(await uow.messages.overdue(uow.now, 1))


async def _heads(uow: UnitOfWork, lease: Lease) -> list[Message]:
    heads = await uow.messages.chat_heads(lease.session_uid, uow.now)
    session = await uow.sessions.get_by_uid(lease.session_uid)
    if session is None:
        return []
    forbidden = await forbidden_chats(uow, session, (head.chat_id for head in heads))
    return [head for head in heads if head.chat_id not in forbidden]


async def _behind(uow: UnitOfWork, head: Message, count: int) -> Iterable[Message]:
    """Those that follow a head in its chat as soon as it has left, so many at most."""
    behind = await uow.messages.unsent(head.session_uid, after=head, limit=count)
    return takewhile(lambda message: message.chat_id == head.chat_id and message.is_fresh, behind)


async def _may_follow(uow: UnitOfWork, then: Message, finished: Finished) -> bool:
    """Whether a message is in its chat still (two may turn out to be one), and not behind one that is to leave."""
    now = await uow.messages.get(then.tenant_id, then.message_id)
    if now is None or now.chat_id != then.chat_id:
        return False
    return finished.lets_go_on or finished.message is None or finished.message.chat_id != now.chat_id


async def _begin(uow: UnitOfWork, session: Session, message_id: str) -> Outgoing | None:
    message = await uow.messages.get(session.tenant_id, message_id)
    if message is None or not _may_begin(message, uow.now):
        return None
    if await forbidden_chats(uow, session, [message.chat_id]):
        return None
    if message.state == State.STATE_UNCONFIRMED:
        message.repeat_count += 1
    message.move(State.STATE_SENDING)
    message.attempt_count += 1
    message.hold = None
    message.next_attempt_time = None
    await tell_status(uow, session, message)
    return await _outgoing(uow, message)


def _may_begin(message: Message, now: datetime) -> bool:
    if message.is_given_up(now):
        return False
    if message.next_attempt_time is not None and message.next_attempt_time > now:
        return False
    if message.state == State.STATE_UNCONFIRMED:
        return message.repeat_count < REPEATS_AT_MOST and not message.waits_for_word
    return message.state == State.STATE_QUEUED


async def _outgoing(uow: UnitOfWork, message: Message) -> Outgoing:
    chat = await uow.identities.get(message.tenant_id, message.chat_id)
    if chat is None:
        raise LookupError(f"message {message.message_id} goes nowhere")
    mentions = [
        await uow.identities.get(message.tenant_id, mention.identity.id) for mention in message.content.context.mentions
    ]
    return Outgoing(
        provider_message_id=message.provider_message_id,
        to=chat.names(),
        content=_alone(message.content),
        quoted=await _quoted(uow, message),
        mentions=tuple(person.names() if person else Names() for person in mentions),
    )


async def _quoted(uow: UnitOfWork, message: Message) -> Quoted | None:
    quoted_id = message.content.context.reply_to.message_id
    quoted = await uow.messages.get(message.tenant_id, quoted_id) if quoted_id else None
    if quoted is None:
        return None
    author = await uow.identities.get(message.tenant_id, quoted.sender_id)
    return Quoted(quoted.provider_message_id, author.names() if author else Names(), _alone(quoted.content))


def _alone(content: content_pb2.Content) -> content_pb2.Content:
    """What is said, without what surrounds it: that travels beside it, in WhatsApp's names."""
    alone = content_pb2.Content()
    alone.CopyFrom(content)
    alone.ClearField("context")
    return alone


async def _learn_recipient(uow: UnitOfWork, session: Session, message_id: str, to: Names) -> None:
    """The LID that a message really went to belongs to the chat it was for, unless that had one. To be done before the
    message is looked up: its chat may turn out to be another.
    """
    message = await uow.messages.get(session.tenant_id, message_id)
    chat = await uow.identities.get(session.tenant_id, message.chat_id) if message else None
    if chat is not None and not chat.lid:
        await learn(uow, session.tenant_id, Names(lid=to.lid, phone_number=chat.phone_number))
