"""Accepting a message: everything that can be checked without WhatsApp, then one row and one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.access import Call
from gateway.domain.addresses import Address, Form, parse_address
from gateway.domain.clocks import from_timestamp
from gateway.domain.errors import (
    IdentityNotFound,
    MessageNotFound,
    RecipientNotSupported,
    SessionLoggedOut,
    SessionNeverPaired,
    ValidationFailed,
)
from gateway.domain.events import Cause
from gateway.domain.identities import Identity, new_person
from gateway.domain.ids import MESSAGE, make_id
from gateway.domain.messages import GIVE_UP_AT_MOST, Direction, Message, Origin
from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import Session, State
from gateway.ports.provider import Dialects
from gateway.ports.queue import outbox_bell
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.holds import hold_by_session
from gateway.services.identities import names_of
from gateway.services.log import tell
from wagate.v1 import content_pb2, event_pb2, message_pb2
from wagate.v1 import message_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class Wish:
    """A message that a caller wants, with its addresses read."""

    to: Address
    content: content_pb2.Content
    mentions: tuple[Address, ...]
    metadata: dict[str, str]
    request_id: str
    give_up_time: datetime | None = None
    retry_of_message_id: str = ""

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Everyone it names."""
        return (self.to, *self.mentions)


def read_wish(request: pb.SendMessageRequest) -> Wish:
    """Read a request, checking all that it says by itself.

    Raises:
        AddressInvalid, RecipientNotSupported, ValidationFailed: naming the field.
    """
    to = parse_address(request.to, field="to")
    if to.is_place:
        raise RecipientNotSupported(field="to", kind=to.form.value)
    if request.content.WhichOneof("body") != "text":
        raise ValidationFailed.of("content", "must hold text; what is only ever received cannot be sent")
    mentions = _mentions(request.content) if request.content.HasField("context") else ()
    if mentions and lone_signs(request.content.text.text) != len(mentions):
        raise ValidationFailed.of("content.context.mentions", "must be as many as there are lone @ in the text")
    give_up = from_timestamp(request.give_up_time) if request.HasField("give_up_time") else None
    metadata = dict(request.metadata) if request.metadata else {}
    return Wish(to, request.content, mentions, metadata, request.request_id, give_up)


def _mentions(content: content_pb2.Content) -> tuple[Address, ...]:
    return tuple(
        _person(mention.address, f"content.context.mentions[{place}].address")
        for place, mention in enumerate(content.context.mentions)
    )


def lone_signs(text: str) -> int:
    """How many `@` of a text stand alone, with no letter, digit, underscore or other `@` beside them: there a mention's
    name goes.
    """
    return sum(
        sign == "@" and not _joins(text[place - 1 : place]) and not _joins(text[place + 1 : place + 2])
        for place, sign in enumerate(text)
    )


def _joins(beside: str) -> bool:
    return beside in {"@", "_"} or beside.isalpha() or beside.isdecimal()


def _person(text: str, field: str) -> Address:
    address = parse_address(text, field=field)
    if address.is_place:
        raise ValidationFailed.of(field, "must name a person")
    return address


class Acceptance:
    """Turns wishes into messages of the outbox."""

    def __init__(self, providers: Dialects, give_up_after: timedelta) -> None:
        self._providers = providers
        self._give_up_after = give_up_after

    async def accept(
        self, uow: UnitOfWork, call: Call, session: Session, wish: Wish, *, dry: bool = False
    ) -> message_pb2.Message:
        """Store one message in its session's outbox, tell it, and show it. `dry` checks all and stores nothing.

        Raises:
            SessionNeverPaired, SessionLoggedOut, IdentityNotFound, MessageNotFound, ValidationFailed.
        """
        check_sendable(session)
        give_up_time = self._give_up_time(wish, uow.now)
        chat, mentioned = await self._people(uow, call.tenant_id, wish, dry=dry)
        account = await uow.identities.get(session.tenant_id, session.account_id)
        if account is None:
            raise SessionNeverPaired(session_id=session.session_id)
        message = Message(
            tenant_id=call.tenant_id,
            message_id="" if dry else make_id(MESSAGE),
            session_id=session.session_id,
            session_uid=session.uid,
            chat_id=chat.identity_id,
            sender_id=account.identity_id,
            direction=Direction.DIRECTION_OUTBOUND,
            origin=Origin.ORIGIN_API,
            state=MessageState.STATE_QUEUED,
            content=await self._content(uow, session, wish, chat, mentioned),
            create_time=uow.now,
            provider_message_id="" if dry else self._providers.of(session.provider).new_message_id(),
            due_time=uow.now,
            give_up_time=give_up_time,
            metadata=wish.metadata,
            request_id=wish.request_id,
            correlation_id=call.correlation_id,
            retry_of_message_id=wish.retry_of_message_id,
        )
        shown = message.to_proto(chat, account, await hold_by_session(uow, message, session))
        if not dry:
            await self._store(uow, session, message, shown)
        return shown

    async def _store(self, uow: UnitOfWork, session: Session, message: Message, shown: message_pb2.Message) -> None:
        await uow.messages.add(message)
        accepted = event_pb2.Event()
        accepted.message_accepted.message.CopyFrom(shown)
        cause = Cause(message.request_id, message.correlation_id)
        await tell(uow, session, accepted, chat_id=message.chat_id, cause=cause)
        uow.ring(outbox_bell(session.uid))

    def _give_up_time(self, wish: Wish, now: datetime) -> datetime:
        if wish.give_up_time is None:
            return now + self._give_up_after
        if not now < wish.give_up_time <= now + GIVE_UP_AT_MOST:
            raise ValidationFailed.of("give_up_time", "must lie in the future, and at most 1 year ahead")
        return wish.give_up_time

    @staticmethod
    async def _people(uow: UnitOfWork, tenant_id: str, wish: Wish, *, dry: bool) -> tuple[Identity, list[Identity]]:
        addresses = wish.addresses
        found = await uow.identities.find(tenant_id, addresses)
        people: list[Identity] = []
        for place, address in enumerate(addresses):
            person = found.get(address)
            if person is None:
                if address.form not in (Form.PHONE_NUMBER, Form.LID):
                    field = "to" if place == 0 else f"content.context.mentions[{place - 1}].address"
                    raise IdentityNotFound(field=field)
                person = found[address] = new_person(names_of(address), uow.now)
                if not dry:
                    await uow.identities.add(tenant_id, person)
            people.append(person)
        return people[0], people[1:]

    @staticmethod
    async def _content(
        uow: UnitOfWork, session: Session, wish: Wish, chat: Identity, mentioned: list[Identity]
    ) -> content_pb2.Content:
        if not wish.content.HasField("context"):
            return wish.content
        content = content_pb2.Content()
        content.CopyFrom(wish.content)
        for mention, person in zip(content.context.mentions, mentioned, strict=True):
            mention.ClearField("address")
            mention.identity.CopyFrom(person.to_proto())
        if content.context.HasField("reply_to"):
            await fill_quote(uow, session, content.context.reply_to, chat)
        return content


def check_sendable(session: Session) -> None:
    """Refuse sends through a session that is linked to nothing.

    Raises:
        SessionNeverPaired, SessionLoggedOut.
    """
    if not session.account_id:
        raise SessionNeverPaired(session_id=session.session_id)
    if session.device is None or session.state == State.STATE_LOGGED_OUT or session.logout_wanted:
        raise SessionLoggedOut(session_id=session.session_id)


async def fill_quote(uow: UnitOfWork, session: Session, quote: content_pb2.Quote, chat: Identity) -> None:
    """Complete a quote that a caller wrote as an id alone.

    Raises:
        MessageNotFound: the chat has no such message.
    """
    quoted = await uow.messages.get(session.tenant_id, quote.message_id)
    if quoted is None or quoted.session_uid != session.uid or quoted.chat_id != chat.identity_id:
        raise MessageNotFound(field="content.context.reply_to.message_id", message_id=quote.message_id)
    author = await uow.identities.get(session.tenant_id, quoted.sender_id)
    if author is not None:
        quote.author.CopyFrom(author.to_proto())
    quote.preview = quoted.content.text.text[:1024]
