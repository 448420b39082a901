"""What surrounds a received message: whom it answers and whom it calls out, in our own ids."""

from __future__ import annotations

from gateway.domain.identities import Identity
from gateway.domain.lines import MessageArrived
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services.identities import learn
from wagate.v1 import content_pb2

_PREVIEW_CHARACTERS = 1024


async def learn_named(uow: UnitOfWork, session: Session, fact: MessageArrived) -> None:
    """Learn whom a message names beside its sender. To be done before chat and sender are looked up, as it may show
    that two are one.
    """
    for names in (*fact.mentions, fact.quoted_author):
        if names is not None:
            await learn(uow, session.tenant_id, names)


async def context_of(
    uow: UnitOfWork, session: Session, chat: Identity, fact: MessageArrived
) -> content_pb2.Context | None:
    """The context of an arrived message; None if it stands alone."""
    context = content_pb2.Context()
    if fact.quoted_provider_message_id:
        context.reply_to.CopyFrom(await _quote(uow, session, chat, fact))
    for names in fact.mentions:
        person = await learn(uow, session.tenant_id, names)
        context.mentions.append(content_pb2.Mention(identity=person.to_proto()))
    return context if context.ByteSize() else None


async def _quote(uow: UnitOfWork, session: Session, chat: Identity, fact: MessageArrived) -> content_pb2.Quote:
    quoted = await uow.messages.find_in_chat(session.uid, chat.identity_id, fact.quoted_provider_message_id)
    quote = content_pb2.Quote(
        message_id=quoted.message_id if quoted else "",
        preview=fact.quoted_preview[:_PREVIEW_CHARACTERS],
    )
    if fact.quoted_author is not None:
        author = await learn(uow, session.tenant_id, fact.quoted_author)
        quote.author.CopyFrom(author.to_proto())
    return quote
