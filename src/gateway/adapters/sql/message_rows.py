"""Messages and receipts between what lives and what is stored."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.adapters.sql.moments import micros_if_any, moment_if_any
from gateway.adapters.sql.shelf import Row
from gateway.domain.clocks import from_micros, to_micros
from gateway.domain.messages import Hold, HoldKind, Message, Reach, Receipt
from wagate.v1.content_pb2 import Content
from wagate.v1.error_reason_pb2 import Failure


def message_row(message: Message) -> dict[str, Any]:
    """A message as its row."""
    hold = message.hold or _NO_HOLD
    reach = message.reach
    return {
        "ordinal": message.ordinal,
        "tenant_id": message.tenant_id,
        "message_id": message.message_id,
        "session_id": message.session_id,
        "session_uid": message.session_uid,
        "chat_id": message.chat_id,
        "sender_id": message.sender_id,
        "direction": message.direction,
        "origin": message.origin,
        "state": message.state,
        "content": message.content.SerializeToString(),
        "create_time": to_micros(message.create_time),
        "provider_message_id": message.provider_message_id,
        "edit": message.edit,
        "due_time": micros_if_any(message.due_time),
        "give_up_time": micros_if_any(message.give_up_time),
        "next_attempt_time": micros_if_any(message.next_attempt_time),
        "send_time": micros_if_any(message.send_time),
        "failure": None if message.failure is None else message.failure.SerializeToString(),
        "hold_kind": hold.kind,
        "hold_until_time": micros_if_any(hold.until_time),
        "reach_furthest": reach.furthest,
        "recipient_count": reach.recipient_count,
        "delivered_count": reach.delivered_count,
        "read_count": reach.read_count,
        "played_count": reach.played_count,
        "revision": message.revision,
        "metadata": orjson.dumps(message.metadata).decode() if message.metadata else "{}",
        "request_id": message.request_id,
        "correlation_id": message.correlation_id,
        "attempt_count": message.attempt_count,
        "refusal_count": message.refusal_count,
        "repeat_count": message.repeat_count,
        "retry_of_message_id": message.retry_of_message_id,
    }


def message_of(row: Row) -> Message:
    """The message of a row."""
    return Message(
        tenant_id=row["tenant_id"],
        message_id=row["message_id"],
        session_id=row["session_id"],
        session_uid=row["session_uid"],
        chat_id=row["chat_id"],
        sender_id=row["sender_id"],
        direction=row["direction"],
        origin=row["origin"],
        state=row["state"],
        content=Content.FromString(row["content"]),
        create_time=from_micros(row["create_time"]),
        provider_message_id=row["provider_message_id"],
        edit=row["edit"],
        due_time=moment_if_any(row["due_time"]),
        give_up_time=moment_if_any(row["give_up_time"]),
        next_attempt_time=moment_if_any(row["next_attempt_time"]),
        send_time=moment_if_any(row["send_time"]),
        failure=None if row["failure"] is None else Failure.FromString(row["failure"]),
        hold=_hold_of(row),
        reach=Reach(
            furthest=row["reach_furthest"],
            recipient_count=row["recipient_count"],
            delivered_count=row["delivered_count"],
            read_count=row["read_count"],
            played_count=row["played_count"],
        ),
        revision=row["revision"],
        metadata=orjson.loads(row["metadata"]),
        request_id=row["request_id"],
        correlation_id=row["correlation_id"],
        attempt_count=row["attempt_count"],
        refusal_count=row["refusal_count"],
        repeat_count=row["repeat_count"],
        retry_of_message_id=row["retry_of_message_id"],
        ordinal=row["ordinal"],
    )


_NO_HOLD = Hold(HoldKind.KIND_UNSPECIFIED)


def _hold_of(row: Row) -> Hold | None:
    if row["hold_kind"] == HoldKind.KIND_UNSPECIFIED:
        return None
    return Hold(row["hold_kind"], moment_if_any(row["hold_until_time"]))


def receipt_row(receipt: Receipt) -> dict[str, Any]:
    """A receipt as its row."""
    return {
        "ordinal": receipt.ordinal,
        "tenant_id": receipt.tenant_id,
        "message_id": receipt.message_id,
        "participant_id": receipt.participant_id,
        "deliver_time": micros_if_any(receipt.deliver_time),
        "read_time": micros_if_any(receipt.read_time),
        "play_time": micros_if_any(receipt.play_time),
    }


def receipt_of(row: Row) -> Receipt:
    """The receipt of a row."""
    return Receipt(
        tenant_id=row["tenant_id"],
        message_id=row["message_id"],
        participant_id=row["participant_id"],
        deliver_time=moment_if_any(row["deliver_time"]),
        read_time=moment_if_any(row["read_time"]),
        play_time=moment_if_any(row["play_time"]),
        ordinal=row["ordinal"],
    )
