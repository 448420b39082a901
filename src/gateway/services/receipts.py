"""Receipts: how far messages got. One may name many messages, and may overtake WhatsApp's own answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.domain.identities import Identity
from gateway.domain.leases import Lease
from gateway.domain.lines import ReceiptArrived, ReceiptKind
from gateway.domain.messages import UNSENT, Level, Message, Reach, Receipt, State
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.fates import tell_status
from gateway.services.identities import learn_party
from gateway.services.ownership import needs, owned_session

_LEVEL_OF_KIND = {
    ReceiptKind.OWN_DEVICE: Level.LEVEL_UNSPECIFIED,
    ReceiptKind.DELIVERED: Level.LEVEL_DELIVERED,
    ReceiptKind.READ: Level.LEVEL_READ,
    ReceiptKind.PLAYED: Level.LEVEL_PLAYED,
}


class Receipts:
    """Stores what a line tells of receipts. Each call returns once it is committed, and may be repeated."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, lease: Lease, fact: ReceiptArrived) -> None:
        """Take in one receipt: each step that is new is told, in order, and none twice."""
        level = _LEVEL_OF_KIND.get(fact.kind)
        if level is None:
            return

        async def work(uow: UnitOfWork) -> None:
            session = await owned_session(uow, lease)
            chat = await learn_party(uow, session.tenant_id, fact.chat)
            person = await learn_party(uow, session.tenant_id, fact.sender)
            sent = await uow.messages.find_sent(session.uid, fact.provider_message_ids)
            for message in sent:
                if message.chat_id in (chat.identity_id, person.identity_id):
                    await _settle(uow, session, message, fact.receipt_time)
                    await _advance(uow, session, message, person, level, fact.receipt_time)

        await self._store.write(work, needs(lease))


async def _settle(uow: UnitOfWork, session: Session, message: Message, moment: datetime) -> None:
    """Any receipt proves that WhatsApp has the message: steps that its answer would have told are told first."""
    if message.state not in UNSENT:
        return
    message.hold = None
    if message.state == State.STATE_QUEUED:
        message.move(State.STATE_SENDING)
        await tell_status(uow, session, message)
    message.move(State.STATE_SENT)
    message.next_attempt_time = None
    message.send_time = message.send_time or moment
    message.reach = replace(message.reach, recipient_count=max(message.reach.recipient_count, 1))
    await tell_status(uow, session, message, occur_time=moment)


async def _advance(
    uow: UnitOfWork,
    session: Session,
    message: Message,
    person: Identity,
    level: Level.ValueType,
    moment: datetime,
) -> None:
    if level == Level.LEVEL_UNSPECIFIED:
        return
    receipt = await uow.receipts.get(message.message_id, person.identity_id)
    receipt = receipt or Receipt(session.tenant_id, message.message_id, person.identity_id)
    for step in receipt.advance(level, moment):
        message.reach = grown(message.reach, step)
        await tell_status(uow, session, message, participant=person, occur_time=moment)
    await uow.receipts.save(receipt)


def grown(reach: Reach, step: Level.ValueType) -> Reach:
    """How far a message got after one more person took a step."""
    return replace(
        reach,
        furthest=max(reach.furthest, step),
        delivered_count=reach.delivered_count + (step == Level.LEVEL_DELIVERED),
        read_count=reach.read_count + (step == Level.LEVEL_READ),
        played_count=reach.played_count + (step == Level.LEVEL_PLAYED),
    )
