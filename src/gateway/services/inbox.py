"""Taking in: what arrives is one row and one event in one commit, however often it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway.domain.clocks import to_timestamp
from gateway.domain.identities import Identity
from gateway.domain.ids import MESSAGE, make_id
from gateway.domain.leases import Lease
from gateway.domain.lines import MessageArrived, MessageUndecryptable, NamesLearned, Place
from gateway.domain.messages import Direction, Message, Origin, State
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.identities import learn, learn_party
from gateway.services.log import tell
from gateway.services.ownership import needs, owned_session
from gateway.services.quotes import context_of, learn_named
from wagate.v1 import content_pb2, event_pb2, message_pb2

_EVENT_BYTES_FOR_RAW = 128 * 1024


class Inbox:
    """Stores what a line tells of messages. Each call returns once it is committed, and may be repeated."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def message(self, lease: Lease, fact: MessageArrived) -> None:
        """Take in a message in clear; it completes its placeholder, if there is one."""
        await self.messages(lease, [fact])

    async def messages(self, lease: Lease, facts: Sequence[MessageArrived]) -> None:
        """Take in messages in clear, all or none, in this order."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            for fact in facts:
                await _read(uow, session, fact)

        await self._store.write(work, needs(lease))

    async def undecryptable(self, lease: Lease, fact: MessageUndecryptable) -> None:
        """Take in a placeholder for a message that cannot be read yet."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            chat, sender = await _parties(uow, session, fact.place)
            if await _known(uow, session, chat, sender, fact.place) is None:
                missing = content_pb2.Undecryptable(requested_again=fact.requested_again)
                content = content_pb2.Content(undecryptable=missing)
                await _take_in(uow, session, chat, sender, fact.place, content)

        await self._store.write(work, needs(lease))

    async def names(self, lease: Lease, fact: NamesLearned) -> None:
        """Learn names that belong together."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            await learn(uow, session.tenant_id, fact.names)

        await self._store.write(work, needs(lease))

    async def caught_up(self, lease: Lease, item_count: int, away_since: datetime | None) -> None:
        """Tell that a session was away, since when if that is known, and has taken in what waited."""

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            gap = event_pb2.OfflineGap(
                from_time=to_timestamp(away_since), to_time=to_timestamp(uow.now), item_count=item_count
            )
            await tell(uow, session, event_pb2.Event(offline_gap=gap))

        await self._store.write(work, needs(lease))


async def _read(uow: UnitOfWork, session: Session, fact: MessageArrived) -> None:
    await learn_named(uow, session, fact)
    chat, sender = await _parties(uow, session, fact.place)
    content = content_pb2.Content()
    content.CopyFrom(fact.content)
    if context := await context_of(uow, session, chat, fact):
        content.context.CopyFrom(context)
    known = await _known(uow, session, chat, sender, fact.place)
    if known is None:
        await _take_in(uow, session, chat, sender, fact.place, content)
    elif known.content.HasField("undecryptable"):
        await _complete(uow, session, chat, sender, known, content)


async def _parties(uow: UnitOfWork, session: Session, place: Place) -> tuple[Identity, Identity]:
    """The chat and the sender; our own account is known by its id, whatever the line calls it."""
    chat = await learn_party(uow, session.tenant_id, place.chat)
    if place.from_me and session.account_id:
        account = await uow.identities.get(session.tenant_id, session.account_id)
        if account is not None:
            return chat, account
    sender = await learn_party(uow, session.tenant_id, place.sender)
    return (chat if place.chat.place_jid or place.from_me else sender), sender


async def _known(uow: UnitOfWork, session: Session, chat: Identity, sender: Identity, place: Place) -> Message | None:
    return await uow.messages.find_inbound(
        session.uid, chat.identity_id, sender.identity_id, place.provider_message_id, place.edit
    )


async def _take_in(
    uow: UnitOfWork,
    session: Session,
    chat: Identity,
    sender: Identity,
    place: Place,
    content: content_pb2.Content,
) -> None:
    message = Message(
        tenant_id=session.tenant_id,
        message_id=make_id(MESSAGE),
        session_id=session.session_id,
        session_uid=session.uid,
        chat_id=chat.identity_id,
        sender_id=sender.identity_id,
        direction=Direction.DIRECTION_OUTBOUND if place.from_me else Direction.DIRECTION_INBOUND,
        origin=_origin(place),
        state=State.STATE_SENT if place.from_me else State.STATE_RECEIVED,
        content=content,
        create_time=uow.now,
        provider_message_id=place.provider_message_id,
        edit=place.edit,
        send_time=place.send_time,
    )
    await uow.messages.add(message)
    what = _taken_in(message, told(message, chat, sender))
    actor = None if place.from_me else sender
    await tell(uow, session, what, chat_id=chat.identity_id, actor=actor, occur_time=place.send_time)


def _origin(place: Place) -> Origin.ValueType:
    if place.from_me:
        return Origin.ORIGIN_OTHER_DEVICE
    return Origin.ORIGIN_OFFLINE if place.offline else Origin.ORIGIN_LIVE


def _taken_in(message: Message, shown: message_pb2.Message) -> event_pb2.Event:
    if message.content.HasField("undecryptable"):
        return event_pb2.Event(message_undecryptable=event_pb2.MessageUndecryptable(message=shown))
    if message.direction == Direction.DIRECTION_OUTBOUND:
        return event_pb2.Event(message_accepted=event_pb2.MessageAccepted(message=shown))
    return event_pb2.Event(message_received=event_pb2.MessageReceived(message=shown))


async def _complete(
    uow: UnitOfWork,
    session: Session,
    chat: Identity,
    sender: Identity,
    known: Message,
    content: content_pb2.Content,
) -> None:
    completed = replace(known, content=content, revision=known.revision + 1)
    await uow.messages.save(completed)
    resolved = event_pb2.MessageResolved(message=told(completed, chat, sender))
    actor = sender if known.direction == Direction.DIRECTION_INBOUND else None
    await tell(
        uow,
        session,
        event_pb2.Event(message_resolved=resolved),
        chat_id=chat.identity_id,
        actor=actor,
        occur_time=known.send_time,
    )


def told(message: Message, chat: Identity, sender: Identity) -> message_pb2.Message:
    """A message as an event tells it: raw bytes that would not fit into an event stay in the store."""
    shown = message.to_proto(chat, sender)
    if len(shown.content.unsupported.raw) > _EVENT_BYTES_FOR_RAW:
        shown.content.unsupported.ClearField("raw")
    return shown
