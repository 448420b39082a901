"""Messages: sent, shown, cancelled, sent anew, watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import timedelta

from gateway.domain.access import Call
from gateway.domain.addresses import Address, Form, parse_address
from gateway.domain.clocks import from_duration, to_timestamp
from gateway.domain.enums import quicken
from gateway.domain.errors import (
    IdentityNotFound,
    MessageNotCancelable,
    MessageNotFound,
    MessageNotRetryable,
    ShuttingDown,
    StoreUnavailable,
)
from gateway.domain.messages import ENDED_UNSENT, Direction, Message, State
from gateway.domain.sessions import Session
from gateway.ports.meter import Meter
from gateway.ports.queue import outbox_bell
from gateway.ports.unit_of_work import MessageFilter, Store, UnitOfWork
from gateway.services.acceptance import Acceptance, Wish, read_wish
from gateway.services.endings import end_unconfirmed
from gateway.services.fates import tell_status
from gateway.services.pages import Pages
from gateway.services.repeats import Repeat
from gateway.services.sessions import find_session
from gateway.services.views import RAW_SCOPE, Views, hide_raw_of
from gateway.services.watching import MessageWatch, is_ended, reached
from wagate.v1 import message_pb2
from wagate.v1 import message_service_pb2 as pb

WaitFor = pb.SendMessageRequest.WaitFor
Until = pb.WatchMessageRequest.Until
quicken(WaitFor, Until)

_EVERY_SESSION = "-"
WAIT_UNLESS_SAID = timedelta(seconds=10)
ANSWER_BEFORE_DEADLINE = 1.0


class Messages:
    """The use cases of MessageService that need no line."""

    def __init__(
        self, store: Store, acceptance: Acceptance, views: Views, pages: Pages, watch: MessageWatch, meter: Meter
    ) -> None:
        self._meter = meter
        self._store = store
        self._acceptance = acceptance
        self._views = views
        self._pages = pages
        self._watch = watch

    async def send(self, call: Call, request: pb.SendMessageRequest) -> pb.SendMessageResponse:
        """Accept one message, and wait for it as far as asked."""
        wish = read_wish(request)
        repeat = Repeat(call, "SendMessage", request.session_id, request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.SendMessageResponse:
            session = await find_session(uow, call.tenant_id, request.session_id)
            if record := await repeat.earlier(uow):
                earlier = await self._find(uow, call, record.resource_id)
                return pb.SendMessageResponse(message=await self._views.message(uow, earlier), repeated_request=True)
            shown = await self._acceptance.accept(uow, call, session, wish, dry=request.validate_only)
            if not request.validate_only:
                await repeat.remember(uow, shown.message_id)
            response = pb.SendMessageResponse()
            response.message.CopyFrom(self._views.dated(shown))
            return response

        if request.validate_only:
            return await self._store.read(work)
        response = await self._store.write(work, repeat.needs(addresses=wish.addresses))
        if not response.repeated_request:
            self._meter.message_accepted()
        if request.wait_for != WaitFor.WAIT_FOR_UNSPECIFIED:
            await self._wait(call, request, response)
        return response

    async def _wait(self, call: Call, request: pb.SendMessageRequest, response: pb.SendMessageResponse) -> None:
        """Wait for an accepted message. Whatever cuts the wait short is no error: the caller must have the id."""
        asked = from_duration(request.wait_timeout) if request.HasField("wait_timeout") else WAIT_UNLESS_SAID
        left = call.deadline - asyncio.get_running_loop().time() - ANSWER_BEFORE_DEADLINE
        until = _STEP_OF_WAIT[request.wait_for]
        shown = response.message
        with suppress(TimeoutError, ShuttingDown, StoreUnavailable):
            async with asyncio.timeout(max(min(asked.total_seconds(), left), 0)):
                async with aclosing(self._watch.follow(call.tenant_id, response.message)) as steps:
                    async for shown in steps:
                        if is_ended(shown, until):
                            break
        response.message.CopyFrom(shown)
        response.wait_satisfied = reached(shown, until)

    async def get(self, call: Call, request: pb.GetMessageRequest) -> pb.GetMessageResponse:
        """Show one message."""

        async def work(uow: UnitOfWork) -> pb.GetMessageResponse:
            message = await self._in_session(uow, call, request.session_id, request.message_id)
            return pb.GetMessageResponse(message=await self._views.message_for(uow, call, message))

        return await self._store.read(work)

    async def list(self, call: Call, request: pb.ListMessagesRequest) -> pb.ListMessagesResponse:
        """Show messages, the newest first."""
        page = self._pages.read(call, "ListMessages", request)
        chat = parse_address(request.chat, field="chat") if request.chat else None

        async def work(uow: UnitOfWork) -> pb.ListMessagesResponse:
            which = await _filter(uow, call, request, chat)
            before = int(page.after) if page.after else None
            messages = await uow.messages.page(call.tenant_id, which, before_ordinal=before, limit=page.size + 1)
            token = page.token(str(messages[page.size - 1].ordinal)) if len(messages) > page.size else ""
            shown = [await self._views.message_for(uow, call, message) for message in messages[: page.size]]
            return pb.ListMessagesResponse(messages=shown, next_page_token=token)

        return await self._store.read(work)

    async def cancel(self, call: Call, request: pb.CancelMessageRequest) -> pb.CancelMessageResponse:
        """End a message that has not been handed over."""
        repeat = Repeat(call, "CancelMessage", request.session_id, request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.CancelMessageResponse:
            earlier = await repeat.earlier(uow)
            message = await self._in_session(uow, call, request.session_id, request.message_id)
            if not earlier and message.state != State.STATE_CANCELED:
                await self._cancel(uow, message)
            if not earlier:
                await repeat.remember(uow, message.message_id)
            shown = await self._views.message(uow, message)
            return pb.CancelMessageResponse(message=shown, repeated_request=earlier is not None)

        return await self._store.write(work, repeat.needs(request.message_id))

    @staticmethod
    async def _cancel(uow: UnitOfWork, message: Message) -> None:
        session = await uow.sessions.get_by_uid(message.session_uid)
        if session is None:
            raise LookupError(f"message {message.message_id} has no session")
        if message.waits_for_word:
            await end_unconfirmed(uow, session, message)
            uow.ring(outbox_bell(session.uid))
            return
        if message.state != State.STATE_QUEUED:
            state = State.Name(message.state)
            raise MessageNotCancelable(message_id=message.message_id, state=state)
        message.move(State.STATE_CANCELED)
        message.hold = None
        message.next_attempt_time = None
        await tell_status(uow, session, message)

    async def retry(self, call: Call, request: pb.RetryMessageRequest) -> pb.RetryMessageResponse:
        """Accept anew what ended without being sent, or let what is held unconfirmed be repeated."""
        repeat = Repeat(call, "RetryMessage", request.session_id, request.request_id, request)

        async def work(uow: UnitOfWork) -> pb.RetryMessageResponse:
            if record := await repeat.earlier(uow):
                message = await self._find(uow, call, record.resource_id)
                shown = await self._views.message(uow, message)
                return pb.RetryMessageResponse(message=shown, repeated_request=True)
            session = await find_session(uow, call.tenant_id, request.session_id)
            old = await self._in_session(uow, call, request.session_id, request.message_id)
            if old.waits_for_word and not old.is_repeated_out:
                shown = await self._release(uow, session, old)
            else:
                accepted = await self._acceptance.accept(uow, call, session, _wish_again(old, request.request_id))
                shown = self._views.dated(accepted)
            await repeat.remember(uow, shown.message_id)
            return pb.RetryMessageResponse(message=shown)

        return await self._store.write(work, repeat.needs(request.message_id))

    async def _release(self, uow: UnitOfWork, session: Session, message: Message) -> message_pb2.Message:
        message.hold = None
        await tell_status(uow, session, message)
        uow.ring(outbox_bell(session.uid))
        return await self._views.message(uow, message)

    async def receipts(self, call: Call, request: pb.ListReceiptsRequest) -> pb.ListReceiptsResponse:
        """Show how far a message got with each person."""
        page = self._pages.read(call, "ListReceipts", request)

        async def work(uow: UnitOfWork) -> pb.ListReceiptsResponse:
            message = await self._in_session(uow, call, request.session_id, request.message_id)
            after = int(page.after or 0)
            found = await uow.receipts.page(message.message_id, after_ordinal=after, limit=page.size + 1)
            token = page.token(str(found[page.size - 1].ordinal)) if len(found) > page.size else ""
            shown = []
            for receipt in found[: page.size]:
                person = await uow.identities.get(call.tenant_id, receipt.participant_id)
                shown.append(
                    pb.Receipt(
                        participant=person.to_proto() if person else None,
                        deliver_time=to_timestamp(receipt.deliver_time),
                        read_time=to_timestamp(receipt.read_time),
                        play_time=to_timestamp(receipt.play_time),
                    )
                )
            return pb.ListReceiptsResponse(receipts=shown, next_page_token=token)

        return await self._store.read(work)

    async def watch(self, call: Call, request: pb.WatchMessageRequest) -> AsyncGenerator[pb.WatchMessageResponse]:
        """Show a message now and after each change, until it is as far as asked."""
        response = await self.get(
            call, pb.GetMessageRequest(session_id=request.session_id, message_id=request.message_id)
        )
        async with aclosing(self._watch.follow(call.tenant_id, response.message)) as steps:
            async for shown in steps:
                if not call.caller.holds(RAW_SCOPE):
                    hide_raw_of(shown)
                yield pb.WatchMessageResponse(message=shown)
                if is_ended(shown, request.until):
                    return

    async def _in_session(self, uow: UnitOfWork, call: Call, session_id: str, message_id: str) -> Message:
        session = await find_session(uow, call.tenant_id, session_id)
        message = await self._find(uow, call, message_id)
        if message.session_uid != session.uid:
            raise MessageNotFound(field="message_id", message_id=message_id)
        return message

    @staticmethod
    async def _find(uow: UnitOfWork, call: Call, message_id: str) -> Message:
        message = await uow.messages.get(call.tenant_id, message_id)
        if message is None:
            raise MessageNotFound(field="message_id", message_id=message_id)
        return message


async def _filter(uow: UnitOfWork, call: Call, request: pb.ListMessagesRequest, chat: Address | None) -> MessageFilter:
    which = MessageFilter(direction=request.direction, states=tuple(request.states))
    if request.session_id != _EVERY_SESSION:
        which = replace(which, session=await find_session(uow, call.tenant_id, request.session_id))
    if chat is not None:
        found = await uow.identities.find(call.tenant_id, [chat])
        if chat not in found:
            raise IdentityNotFound(field="chat")
        which = replace(which, chat_id=found[chat].identity_id)
    return which


_STEP_OF_WAIT = {
    WaitFor.WAIT_FOR_SENT: Until.UNTIL_SENT,
    WaitFor.WAIT_FOR_DELIVERED: Until.UNTIL_DELIVERED,
}


def _wish_again(old: Message, request_id: str) -> Wish:
    if old.direction != Direction.DIRECTION_OUTBOUND or old.state not in ENDED_UNSENT:
        raise MessageNotRetryable(message_id=old.message_id, state=State.Name(old.state))
    mentions = tuple(Address(Form.IDENTITY_ID, mention.identity.id) for mention in old.content.context.mentions)
    return Wish(
        to=Address(Form.IDENTITY_ID, old.chat_id),
        content=old.content,
        mentions=mentions,
        metadata=old.metadata,
        request_id=request_id,
        retry_of_message_id=old.message_id,
    )
