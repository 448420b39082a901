"""Watching one message: as it is, then each step that the log tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from gateway.domain.messages import ENDED_UNSENT, Level, State
from gateway.ports.unit_of_work import Store, UnitOfWork
from gateway.services.stopping import unless_stopped
from gateway.services.tail import Tail
from gateway.services.views import Views
from wagate.v1 import event_pb2, message_pb2
from wagate.v1 import message_service_pb2 as pb

Until = pb.WatchMessageRequest.Until

_LEVEL_OF_STEP = {
    Until.UNTIL_UNSPECIFIED: Level.LEVEL_READ,
    Until.UNTIL_DELIVERED: Level.LEVEL_DELIVERED,
    Until.UNTIL_PLAYED: Level.LEVEL_PLAYED,
}


def reached(message: message_pb2.Message, until: Until.ValueType) -> bool:
    """Whether a message got that far."""
    if until == Until.UNTIL_SENT:
        return message.state == State.STATE_SENT or message.reach.furthest >= Level.LEVEL_DELIVERED
    return message.reach.furthest >= _LEVEL_OF_STEP[until]


def is_ended(message: message_pb2.Message, until: Until.ValueType) -> bool:
    """Whether there is nothing more to wait for."""
    return message.state in ENDED_UNSENT or message.state == State.STATE_RECEIVED or reached(message, until)


class MessageWatch:
    """Follows messages through the log's tail."""

    def __init__(self, store: Store, tail: Tail, views: Views, stopping: asyncio.Event) -> None:
        self._store = store
        self._stopping = stopping
        self._tail = tail
        self._views = views

    async def follow(self, tenant_id: str, message: message_pb2.Message) -> AsyncGenerator[message_pb2.Message]:
        """Show a message as it is now, then after each change, until the server is being stopped (ShuttingDown)."""
        async with self._tail.watch_message(message.message_id) as steps:
            shown = await self._fresh(tenant_id, message.message_id)
            yield shown
            while True:
                changed = apply_step(shown, await unless_stopped(self._stopping, steps.get()))
                if changed is not None:
                    shown = changed
                    yield shown

    async def _fresh(self, tenant_id: str, message_id: str) -> message_pb2.Message:
        async def work(uow: UnitOfWork) -> message_pb2.Message:
            message = await uow.messages.get(tenant_id, message_id)
            if message is None:
                raise LookupError(f"message {message_id} is gone")
            return await self._views.message(uow, message)

        return await self._store.read(work)


def apply_step(shown: message_pb2.Message, event: event_pb2.Event) -> message_pb2.Message | None:
    """The message after an event of it; None if what is shown is as new."""
    if event.WhichOneof("what") == "message_resolved":
        resolved = event.message_resolved.message
        return resolved if resolved.revision > shown.revision else None
    step = event.message_status_changed
    if step.revision <= shown.revision:
        return None
    after = message_pb2.Message()
    after.CopyFrom(shown)
    after.revision = step.revision
    after.state = step.state
    if step.state == State.STATE_SENDING:
        after.attempt_count += 1
    if step.state == State.STATE_SENT and not shown.HasField("send_time"):
        after.send_time.CopyFrom(event.occur_time)
    after.reach.CopyFrom(step.reach)
    after.ClearField("failure")
    after.ClearField("hold")
    if step.HasField("failure"):
        after.failure.CopyFrom(step.failure)
    if step.HasField("hold"):
        after.hold.CopyFrom(step.hold)
    return after
