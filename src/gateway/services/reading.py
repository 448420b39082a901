"""Reading: telling WhatsApp that received messages were read."""

from __future__ import annotations

from gateway.domain.access import Call
from gateway.domain.errors import MessageNotFound, ValidationFailed
from gateway.domain.messages import Direction
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.asking import LiveRequests, Owners, check_connected
from gateway.services.repeats import Repeat
from gateway.services.sessions import find_session
from wagate.v1 import message_service_pb2 as pb
from wagate.worker.v1 import owner_pb2


class Reading:
    """The use case of MarkMessagesRead."""

    def __init__(self, store: Store, owners: Owners, live: LiveRequests) -> None:
        self._store = store
        self._owners = owners
        self._live = live

    async def mark_read(self, call: Call, request: pb.MarkMessagesReadRequest) -> pb.MarkMessagesReadResponse:
        """Tell the senders, and answer once WhatsApp was told."""
        repeat = Repeat(call, "MarkMessagesRead", request.session_id, request.request_id, request)

        async def ask(call: Call) -> pb.MarkMessagesReadResponse:
            session = await self._checked(call, request)
            question = owner_pb2.MarkMessagesRead(message_ids=request.message_ids)
            await self._owners.ask(call, session, owner_pb2.OwnerRequest(mark_messages_read=question))
            return pb.MarkMessagesReadResponse()

        response, repeated = await self._live.once(call, repeat, pb.MarkMessagesReadResponse, ask)
        response.repeated_request = repeated
        return response

    async def _checked(self, call: Call, request: pb.MarkMessagesReadRequest) -> Session:
        async def work(uow: UnitOfWork) -> Session:
            session = await find_session(uow, call.tenant_id, request.session_id)
            for place, message_id in enumerate(request.message_ids):
                field = f"message_ids[{place}]"
                message = await uow.messages.get(call.tenant_id, message_id)
                if message is None or message.session_uid != session.uid:
                    raise MessageNotFound(field=field, message_id=message_id)
                if message.direction != Direction.DIRECTION_INBOUND:
                    raise ValidationFailed.of(field, "must be a received message")
            return session

        session = await self._store.read(work)
        check_connected(session)
        return session
