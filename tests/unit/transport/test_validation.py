"""Requests that break the contract's rules are told so, field by field."""

from __future__ import annotations

import random
import time
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from tests.unit.transport.served import Served, refusal
from wagate.v1 import contact_service_pb2 as contacts
from wagate.v1 import content_pb2 as content
from wagate.v1 import event_service_pb2 as events
from wagate.v1 import message_service_pb2 as messages

HELLO = content.Content(text=content.Text(text="hello"))


def sending(**fields: object) -> messages.SendMessageRequest:
    return messages.SendMessageRequest(**{"session_id": "a", "to": "+4915112345678", "content": HELLO, **fields})  # type: ignore[arg-type]


TABLE: list[tuple[str, Message, dict[str, str]]] = [
    ("SendMessage", sending(session_id=""), {"session_id": "STRING_MIN_LEN"}),
    ("SendMessage", sending(content=None), {"what": "REQUIRED"}),
    (
        "SendMessage",
        sending(content=content.Content(text=content.Text(text=""))),
        {"content.text.text": "STRING_MIN_LEN"},
    ),
    (
        "SendMessage",
        sending(content=content.Content(text=content.Text(text="x" * 70_000))),
        {"content.text.text": "STRING_MAX_LEN"},
    ),
    ("SendMessage", sending(metadata={"x": "v" * 257}), {'metadata["x"]': "STRING_MAX_LEN"}),
    ("SendMessage", sending(metadata={'a "b"': "v" * 257}), {'metadata["a \\"b\\""]': "STRING_MAX_LEN"}),
    ("SendMessage", sending(metadata={"": "v"}), {'metadata[""]': "STRING_MIN_LEN"}),
    ("SendMessage", sending(metadata={str(n): "" for n in range(17)}), {"metadata": "MAP_MAX_PAIRS"}),
    ("SendMessage", sending(request_id="x" * 129), {"request_id": "STRING_MAX_LEN"}),
    (
        "SendMessage",
        sending(session_id="", to=""),
        {"session_id": "STRING_MIN_LEN", "to": "STRING_MIN_LEN"},
    ),
    (
        "CheckContacts",
        contacts.CheckContactsRequest(session_id="a", phone_numbers=["+4915112345678", "+4915112345679", "0151"]),
        {"phone_numbers[2]": "STRING_PATTERN"},
    ),
    ("SendMessage", sending(request_id="a\0b"), {"request_id": "NUL"}),
    ("SendMessage", sending(metadata={"x": "\0"}), {"metadata": "NUL"}),
    ("SendMessage", sending(content=content.Content(text=content.Text(text="\0"))), {"content.text.text": "NUL"}),
    ("ListMessages", messages.ListMessagesRequest(session_id="a", page_size=-1), {"page_size": "INT32_GTE"}),
    ("ListMessages", messages.ListMessagesRequest(session_id="a", states=[99]), {"states[0]": "ENUM_DEFINED_ONLY"}),  # type: ignore[list-item]
]


def call(served: Served, rpc: str, request: Message) -> Any:
    stub = served.contacts if isinstance(request, contacts.CheckContactsRequest) else served.messages
    return getattr(stub, rpc)(request)


@pytest.mark.parametrize(("rpc", "request_", "fields"), TABLE)
async def test_each_wrong_field_is_named(served: Served, rpc: str, request_: Message, fields: dict[str, str]) -> None:
    refused = await refusal(call(served, rpc, request_))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert refused.fields == fields
    assert served.told.requests == []


async def test_a_stream_is_validated_too(served: Served) -> None:
    refused = await refusal(served.events.StreamEvents(events.StreamEventsRequest(after_cursor="x" * 513)).read())
    assert refused.fields == {"after_cursor": "STRING_MAX_LEN"}


async def test_a_valid_request_reaches_the_service_as_it_is(served: Served) -> None:
    request = sending(metadata={"order": "4711"})
    await served.messages.SendMessage(request)
    assert served.told.requests == [request]


NOT_UTF8 = b"\x0a\x02\xff\xfe"


@pytest.mark.parametrize("garbage", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", NOT_UTF8, b"\x07", b"\x0a\x05ab"])
@pytest.mark.parametrize("rpc", ["MessageService/SendMessage", "MessageService/GetMessage"])
async def test_bytes_that_are_no_request_are_refused_like_any_wrong_one(
    served: Served, rpc: str, garbage: bytes
) -> None:
    refused = await refusal(served.channel.unary_unary(f"/wagate.v1.{rpc}")(garbage))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert refused.fields == {"": "ENCODING"}


async def test_bytes_that_are_no_request_end_no_stream_otherwise(served: Served) -> None:
    refused = await refusal(served.channel.unary_stream("/wagate.v1.EventService/StreamEvents")(b"\xff").read())
    assert refused.fields == {"": "ENCODING"}


async def test_random_bytes_are_never_a_fault_of_the_gateway(served: Served) -> None:
    chance = random.Random(4711)
    call = served.channel.unary_unary("/wagate.v1.MessageService/SendMessage")
    for _ in range(300):
        refused = await refusal(call(chance.randbytes(chance.randrange(0, 60))))
        assert refused.reason == "VALIDATION_FAILED"


async def test_too_long_a_request_is_refused_by_its_length(served: Served) -> None:
    text = content.Content(text=content.Text(text="x" * (9 * 1024 * 1024)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await served.messages.SendMessage(sending(content=text))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_500_wrong_fields_are_told_in_an_answer_that_arrives(served: Served) -> None:
    request = contacts.CheckContactsRequest(session_id="a", phone_numbers=[f"x{n}" for n in range(500)])
    refused = await refusal(served.contacts.CheckContacts(request))
    assert 1 <= len(refused.fields) <= 20


async def test_a_million_wrong_fields_hold_nobody_up(served: Served) -> None:
    request = contacts.CheckContactsRequest(session_id="a", phone_numbers=[""] * 1_000_000)
    begun = time.monotonic()
    assert (await refusal(served.contacts.CheckContacts(request))).reason == "VALIDATION_FAILED"
    assert time.monotonic() - begun < 5
