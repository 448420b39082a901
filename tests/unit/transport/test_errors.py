"""Every error reaches the caller as the contract says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import grpc
import pytest
from google.protobuf.descriptor import EnumValueDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details

from gateway.domain import errors
from gateway.domain.errors import ErrorReason, GatewayError
from tests.unit.transport.served import A_REQUEST, Answer, Served, refusal
from wagate.v1 import event_service_pb2, options_pb2
from wagate.v1.error_reason_pb2 import Failure


def leaves(family: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in family.__subclasses__():
        if child.__subclasses__():
            yield from leaves(child)
        elif hasattr(child, "reason"):
            yield child


def code_beside(reason: ErrorReason.ValueType) -> grpc.StatusCode:
    options = ErrorReason.DESCRIPTOR.values_by_number[reason].GetOptions()
    number = options.Extensions[options_pb2.code]
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def raising(error: Exception) -> Answer:
    async def answer(_request: object) -> object:
        raise error

    return answer


@pytest.mark.parametrize("kind", sorted(leaves(GatewayError), key=str))
async def test_each_error_travels_with_the_code_beside_its_reason(served: Served, kind: type[GatewayError]) -> None:
    served.told.answer = raising(kind())
    refused = await refusal(served.get())
    assert refused.code is code_beside(kind.reason)
    assert refused.reason == ErrorReason.Name(kind.reason).removeprefix("ERROR_REASON_")
    assert refused.detail(details.ErrorInfo).domain == "wagate.dev"
    assert refused.message == kind().message
    assert refused.detail(details.RequestInfo).request_id == refused.correlation_id


def test_no_two_errors_have_one_reason() -> None:
    reasons = [kind.reason for kind in leaves(GatewayError)]
    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize("value", ErrorReason.DESCRIPTOR.values[1:], ids=lambda value: value.name)
def test_each_reason_has_one_code_and_one_remedy(value: EnumValueDescriptor) -> None:
    options = value.GetOptions()
    assert options.Extensions[options_pb2.code] != 0
    assert options.Extensions[options_pb2.remedy] != options_pb2.REMEDY_UNSPECIFIED


async def test_facts_travel_as_metadata(served: Served) -> None:
    served.told.answer = raising(errors.SessionNotConnected(session_id="shop", state="STOPPED"))
    refused = await refusal(served.get())
    assert dict(refused.detail(details.ErrorInfo).metadata) == {"session_id": "shop", "state": "STOPPED"}
    [violation] = refused.detail(details.PreconditionFailure).violations
    assert (violation.type, violation.subject) == ("SESSION_NOT_CONNECTED", "sessions/shop")


async def test_a_wrong_field_is_named(served: Served) -> None:
    served.told.answer = raising(errors.AddressInvalid(field="to"))
    refused = await refusal(served.get())
    assert refused.fields == {"to": "ADDRESS_INVALID"}


async def test_what_is_not_found_is_named(served: Served) -> None:
    served.told.answer = raising(errors.MessageNotFound(message_id="m_1"))
    info = (await refusal(served.get())).detail(details.ResourceInfo)
    assert (info.resource_type, info.resource_name) == ("message", "m_1")


async def test_who_may_try_again_is_told_when(served: Served) -> None:
    served.told.answer = raising(errors.OwnerUnavailable(retry_after=timedelta(milliseconds=2500)))
    delay = (await refusal(served.get())).detail(details.RetryInfo).retry_delay
    assert delay.ToMilliseconds() == 2500
    served.told.answer = raising(errors.StoreUnavailable())
    assert (await refusal(served.get())).detail(details.RetryInfo).retry_delay.ToMilliseconds() == 1000


async def test_an_error_may_carry_the_reason_of_what_failed(served: Served) -> None:
    failure = Failure(reason=ErrorReason.ERROR_REASON_PAIRING_TIMED_OUT, message="Nobody scanned it.")
    served.told.answer = raising(errors.WorkFailed(failure))
    refused = await refusal(served.get())
    assert (refused.code, refused.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "PAIRING_TIMED_OUT")


@pytest.mark.parametrize("reason", [0, 999_999])
async def test_a_reason_that_the_contract_does_not_know_is_a_fault(
    served: Served, reason: ErrorReason.ValueType
) -> None:
    served.told.answer = raising(errors.WorkFailed(Failure(reason=reason)))
    assert (await refusal(served.get())).reason == "INTERNAL"


@pytest.mark.parametrize(
    "error", [ValueError("hush"), KeyError("hush"), TimeoutError("hush"), errors.LeaseLost("hush")]
)
async def test_what_is_unforeseen_is_internal_and_tells_nothing(served: Served, error: Exception) -> None:
    served.told.answer = raising(error)
    refused = await refusal(served.get())
    assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert b"hush" not in refused.status.SerializeToString() + refused.message.encode()
    assert refused.detail(details.RequestInfo).request_id == refused.correlation_id != ""


async def test_long_facts_are_cut_so_that_the_answer_arrives(served: Served) -> None:
    served.told.answer = raising(errors.ProviderUnknown(provider="x" * 100_000))
    refused = await refusal(served.get())
    assert refused.reason == "PROVIDER_UNKNOWN"


async def test_a_call_that_its_caller_leaves_is_cancelled_and_ends(served: Served) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def wait(_request: object) -> object:
        entered.set()
        try:
            return await asyncio.Event().wait()
        except asyncio.CancelledError:
            left.set()
            raise

    served.told.answer = wait
    call = served.messages.GetMessage(A_REQUEST)
    await asyncio.wait_for(entered.wait(), 5)
    call.cancel()
    await asyncio.wait_for(left.wait(), 5)


async def test_an_error_in_a_stream_travels_like_one_in_a_call(served: Served) -> None:
    async def frames() -> AsyncIterator[Message]:
        raise errors.CursorExpired(oldest_cursor="c", oldest_time="t")
        yield event_service_pb2.StreamEventsResponse()

    served.told.frames = frames
    refused = await refusal(served.events.StreamEvents(event_service_pb2.StreamEventsRequest()).read())
    assert (refused.code, refused.reason) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")
