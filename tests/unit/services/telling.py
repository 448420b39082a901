"""What lines tell, told to the services directly: messages that arrive, leave, and get far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    MessageArrived,
    MessageUndecryptable,
    Party,
    Place,
    ReceiptArrived,
    ReceiptKind,
    SendOutcome,
    Sent,
)
from gateway.domain.messages import Level
from tests.unit.services.house import House, text

PHONE = "+4915112345678"
_numbers = count(1)

KINDS = {
    Level.LEVEL_UNSPECIFIED: ReceiptKind.OWN_DEVICE,
    Level.LEVEL_DELIVERED: ReceiptKind.DELIVERED,
    Level.LEVEL_READ: ReceiptKind.READ,
    Level.LEVEL_PLAYED: ReceiptKind.PLAYED,
}


def now() -> datetime:
    """This second, as WhatsApp tells moments."""
    return datetime.now(UTC).replace(microsecond=0)


def person(lid: str = "", phone_number: str = "", push_name: str = "") -> Party:
    """A person by what WhatsApp calls them."""
    return Party(Names(lid, phone_number, push_name))


def place(
    chat: Party, provider_message_id: str = "", *, sender: Party | None = None, from_me: bool = False, edit: str = ""
) -> Place:
    """Where a message stands, under a new id unless told."""
    name = provider_message_id or f"3A{next(_numbers):08}"
    return Place(name, chat, sender or chat, from_me, now(), edit=edit)


def says(words: str, where: Place) -> MessageArrived:
    """Someone says something."""
    return MessageArrived(where, text(words))


def says_the_unreadable(where: Place) -> MessageUndecryptable:
    """Someone says what cannot be read yet."""
    return MessageUndecryptable(where, requested_again=True)


async def arrives(house: House, lease: Lease, words: str, *, lid: str = "", phone_number: str = PHONE) -> str:
    """A message from someone is taken in; return its id."""
    where = place(person(lid, phone_number))
    await house.inbox.message(lease, says(words, where))
    (found,) = [one for one in await house.all_messages() if one.provider_message_id == where.provider_message_id]
    return found.message_id


async def goes_out(house: House, lease: Lease, message_id: str, outcome: SendOutcome | None = None) -> None:
    """A message is handed over, and WhatsApp takes it, unless told otherwise."""
    outgoing = await house.outbox.begin(lease, message_id)
    assert outgoing is not None
    await house.outbox.finish(lease, message_id, outcome or Sent(now(), outgoing.to))


async def receipt(
    house: House,
    lease: Lease,
    level: Level.ValueType,
    *message_ids: str,
    by: Party | None = None,
    chat: Party | None = None,
    after: timedelta = timedelta(0),
) -> None:
    """Someone got messages so far."""
    named = [(await house.message(message_id)).provider_message_id for message_id in message_ids]
    sender = by or person(phone_number=PHONE)
    await house.receipts.take(lease, ReceiptArrived(chat or sender, sender, tuple(named), KINDS[level], now() + after))
