"""What an owner needs of the store to ask its line, and what it learns by asking."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.identities import Identity
from gateway.domain.leases import Lease
from gateway.domain.lines import CheckedContact
from gateway.domain.messages import Message
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.identities import learn
from gateway.services.ownership import needs, owned_session
from wagate.worker.v1 import owner_pb2


class LineQuestions:
    """Each call is one unit, under the owner's fence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def learn_checked(self, lease: Lease, checked: Sequence[CheckedContact]) -> list[owner_pb2.CheckedContact]:
        """Remember who has an account, and name each by our id."""

        async def work(uow: UnitOfWork) -> list[owner_pb2.CheckedContact]:
            session = await owned_session(uow, lease)
            answers = []
            for contact in checked:
                answer = owner_pb2.CheckedContact(requested=contact.requested, on_whatsapp=contact.on_whatsapp)
                if contact.on_whatsapp:
                    person = await learn(uow, session.tenant_id, contact.names)
                    answer.identity_id = person.identity_id
                answers.append(answer)
            return answers

        return await self._store.write(work, needs(lease))

    async def received(self, lease: Lease, message_ids: Sequence[str]) -> list[tuple[Message, Identity, Identity]]:
        """Messages with their chats and senders, of those that are still there."""

        async def work(uow: UnitOfWork) -> list[tuple[Message, Identity, Identity]]:
            session = await owned_session(uow, lease)
            found = []
            for message_id in message_ids:
                message = await uow.messages.get(session.tenant_id, message_id)
                chat = await uow.identities.get(session.tenant_id, message.chat_id) if message else None
                sender = await uow.identities.get(session.tenant_id, message.sender_id) if message else None
                if message is not None and chat is not None and sender is not None:
                    found.append((message, chat, sender))
            return found

        return await self._store.read(work)
