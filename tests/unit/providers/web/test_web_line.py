"""A line asks the engine in the name of its lease, and its errors mean what they should."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from gateway.domain.identities import Names
from gateway.domain.lines import CheckedContact, NotSent, OutcomeUnknown, Outgoing, Party, SendOutcome, Unsayable
from gateway.ports.provider import ChallengeUnknown, Line, LineDown, LineGone
from gateway.providers.web.web_line import WebLine
from tests.unit.providers.web.scripted_engine import ScriptedEngine, error
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.v1 import content_pb2
from wagate.v1 import pairing_service_pb2 as pairing

ADA = Names("123@lid", "+4915100000001")
MESSAGE = Outgoing("3EB0A", ADA, content_pb2.Content(text=content_pb2.Text(text="hello")))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

CALLS: dict[str, Callable[[Line], Awaitable[object]]] = {
    "RenewLeases": lambda line: line.renew(timedelta(seconds=9)),
    "MarkMessagesRead": lambda line: line.mark_read(Party(ADA), ADA, ["3EB0A"], NOON, timeout=5),
    "CheckContacts": lambda line: line.check(["+4915100000001"], timeout=5),
    "StartPairing": lambda line: line.start_pairing("a_1", "+4915112345678"),
    "AnswerPairingChallenge": lambda line: line.answer_challenge(
        pairing.AnswerPairingChallengeRequest(session_id="shop", attempt_id="a_1", codes_agree=False)
    ),
    "CancelPairing": lambda line: line.cancel_pairing(),
    "LogoutSession": lambda line: line.logout(),
}


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_carries_the_session_and_its_fence(name: str, line: WebLine, scripted: ScriptedEngine) -> None:
    await CALLS[name](line)
    request = scripted.requests[-1]
    shown = request.leases[0] if name == "RenewLeases" else request
    assert (shown.session_id, shown.fence) == ("s_1", 1)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("reason", ["FENCE_STALE", "LEASE_EXPIRED", "SESSION_NOT_OPEN"])
async def test_a_lost_lease_is_a_line_that_is_gone(
    name: str, reason: str, line: WebLine, scripted: ScriptedEngine
) -> None:
    scripted.answers[name] = error(grpc.StatusCode.FAILED_PRECONDITION, reason)
    with pytest.raises(LineGone):
        await CALLS[name](line)


async def test_without_a_connection_the_line_is_down(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.answers["CheckContacts"] = error(grpc.StatusCode.UNAVAILABLE, "LINE_DOWN")
    with pytest.raises(LineDown):
        await line.check(["+4915100000001"], timeout=5)


async def test_an_answer_that_nobody_waits_for_is_unknown(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.answers["AnswerPairingChallenge"] = error(grpc.StatusCode.FAILED_PRECONDITION, "NO_SUCH_CHALLENGE")
    with pytest.raises(ChallengeUnknown):
        await CALLS["AnswerPairingChallenge"](line)


async def test_a_false_answer_is_handed_on_as_one(line: WebLine, scripted: ScriptedEngine) -> None:
    await CALLS["AnswerPairingChallenge"](line)
    assert scripted.requests[-1].WhichOneof("answer") == "codes_agree"


async def test_an_answer_that_takes_too_long_is_a_timeout(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.released.clear()
    with pytest.raises(TimeoutError):
        await line.check(["+4915100000001"], timeout=0.05)


async def test_contacts_are_told_in_the_order_of_the_question(line: WebLine, scripted: ScriptedEngine) -> None:
    known = pb.CheckedContact(requested="+1", on_whatsapp=True, lid="123@lid", phone_number="+4915100000001")
    scripted.answers["CheckContacts"] = pb.CheckContactsResponse(contacts=[known, pb.CheckedContact(requested="+2")])
    expected = [
        CheckedContact("+1", on_whatsapp=True, names=ADA),
        CheckedContact("+2", on_whatsapp=False, names=Names()),
    ]
    assert await line.check(["+1", "+2"], timeout=5) == expected


async def test_a_lease_that_the_engine_does_not_renew_ends_the_line(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.answers["RenewLeases"] = pb.RenewLeasesResponse(refused_session_ids=["s_1"])
    with pytest.raises(LineGone):
        await line.renew(timedelta(seconds=9))
    with pytest.raises(LineGone):
        await anext(line.incoming())


async def test_a_lost_answer_to_a_message_leaves_its_outcome_open(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.released.clear()
    assert isinstance(await line.send(MESSAGE, timeout=0.05), OutcomeUnknown)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
async def test_an_error_without_a_reason_leaves_the_outcome_open(
    code: grpc.StatusCode, line: WebLine, scripted: ScriptedEngine
) -> None:
    scripted.answers["SendMessage"] = error(code, "")
    assert isinstance(await line.send(MESSAGE, timeout=5), OutcomeUnknown)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(grpc.StatusCode.INVALID_ARGUMENT, Unsayable), (grpc.StatusCode.RESOURCE_EXHAUSTED, NotSent)],
)
async def test_a_message_that_the_engine_does_not_take_was_not_sent_and_never_will_be_if_it_makes_no_sense(
    line: WebLine, scripted: ScriptedEngine, code: grpc.StatusCode, outcome: type[SendOutcome]
) -> None:
    scripted.answers["SendMessage"] = error(code, "")
    assert isinstance(await line.send(MESSAGE, timeout=5), outcome)


async def test_while_the_engine_has_no_line_no_message_is_sent(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.answers["SendMessage"] = error(grpc.StatusCode.UNAVAILABLE, "LINE_DOWN")
    with pytest.raises(LineDown):
        await line.send(MESSAGE, timeout=5)


async def test_a_message_is_not_sent_on_a_line_that_is_gone(line: WebLine, scripted: ScriptedEngine) -> None:
    await line.close()
    with pytest.raises(LineGone):
        await line.send(MESSAGE, timeout=5)
    assert [type(request) for request in scripted.requests] == [pb.CloseSessionRequest]


async def test_closing_never_raises(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.answers["CloseSession"] = error(grpc.StatusCode.INTERNAL, "")
    await line.close()
    with pytest.raises(LineGone):
        await anext(line.incoming())


async def test_a_caller_that_is_cancelled_cancels_its_call_alone(line: WebLine, scripted: ScriptedEngine) -> None:
    scripted.released.clear()
    sending = asyncio.create_task(line.send(MESSAGE, timeout=5))
    await scripted.came.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    scripted.released.set()
    await line.renew(timedelta(seconds=9))
