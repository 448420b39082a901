import asyncio
from datetime import timedelta

import pytest

from gateway.domain.errors import (
    IdentityNotFound,
    MessageNotCancelable,
    MessageNotFound,
    MessageNotRetryable,
    PageTokenInvalid,
    RequestIdReused,
    SessionNotFound,
)
from gateway.domain.leases import Lease
from gateway.domain.lines import Refused
from gateway.domain.messages import Level, State
from tests.stage.waiting import eventually
from tests.unit.services.house import House, a_send
from tests.unit.services.telling import arrives, goes_out, receipt
from wagate.v1 import message_service_pb2 as pb
from wagate.v1.session_service_pb2 import DeleteSessionRequest

pytestmark = pytest.mark.usefixtures("lease")


async def test_one_request_id_sent_ten_times_at_once_is_one_message(house: House) -> None:
    request = a_send(request_id="r-1")
    answers = await asyncio.gather(*(house.messages.send(house.call(), request) for _ in range(10)))
    assert len({answer.message.message_id for answer in answers}) == 1
    assert sorted(answer.repeated_request for answer in answers) == [False, *[True] * 9]
    assert len(await house.all_messages()) == 1
    assert len(await house.log("message.accepted")) == 1


async def test_without_a_request_id_every_call_is_a_message(house: House) -> None:
    answers = [await house.messages.send(house.call(), a_send()) for _ in range(3)]
    assert len({answer.message.message_id for answer in answers}) == 3


async def test_a_request_id_with_another_text_is_refused_and_says_when_it_was_used(house: House) -> None:
    await house.messages.send(house.call(), a_send("Good morning", request_id="r-1"))
    with pytest.raises(RequestIdReused) as caught:
        await house.messages.send(house.call(), a_send("Good evening", request_id="r-1"))
    assert caught.value.facts["request_id"] == "r-1"
    assert caught.value.facts["first_used_time"].endswith("Z")
    assert len(await house.all_messages()) == 1


async def test_a_request_id_belongs_to_its_session_and_rpc(house: House) -> None:
    await house.linked("support")
    first = await house.messages.send(house.call(), a_send(request_id="r-1"))
    second = await house.messages.send(house.call(), a_send(session_id="support", request_id="r-1"))
    assert not second.repeated_request
    cancel = pb.CancelMessageRequest(session_id="sales", message_id=first.message.message_id, request_id="r-1")
    assert not (await house.messages.cancel(house.call(), cancel)).repeated_request


async def test_an_error_leaves_the_request_id_free(house: House) -> None:
    with pytest.raises(IdentityNotFound):
        await house.messages.send(house.call(), a_send(to="@nobody", request_id="r-1"))
    answer = await house.messages.send(house.call(), a_send(request_id="r-1"))
    assert not answer.repeated_request


async def test_a_repeat_is_answered_with_the_message_as_it_is_now(house: House, lease: Lease) -> None:
    first = await house.messages.send(house.call(), a_send(request_id="r-1"))
    await goes_out(house, lease, first.message.message_id)
    again = await house.messages.send(house.call(), a_send(request_id="r-1"))
    assert again.repeated_request
    assert again.message.state == State.STATE_SENT


async def test_what_is_only_validated_is_not_stored(house: House) -> None:
    before = await house.stored_log()
    request = a_send(request_id="r-1")
    request.validate_only = True
    answer = await house.messages.send(house.call(), request)
    assert (answer.message.message_id, answer.message.provider_message_id) == ("", "")
    assert answer.message.content == request.content
    assert await house.all_messages() == []
    assert await house.whose("+4915112345678") is None
    assert await house.stored_log() == before
    assert not (await house.messages.send(house.call(), a_send(request_id="r-1"))).repeated_request


async def test_waiting_for_sent_ends_with_the_step_that_was_waited_for(house: House, lease: Lease) -> None:
    request = a_send(request_id="r-1")
    request.wait_for = pb.SendMessageRequest.WAIT_FOR_SENT
    waiting = asyncio.create_task(house.messages.send(house.call(), request))
    message_id = await first_accepted(house)
    await goes_out(house, lease, message_id)
    answer = await waiting
    assert answer.wait_satisfied
    assert answer.message == await house.shown(message_id)


async def test_waiting_for_what_fails_ends_with_the_failure_and_no_error(house: House, lease: Lease) -> None:
    request = a_send()
    request.wait_for = pb.SendMessageRequest.WAIT_FOR_DELIVERED
    waiting = asyncio.create_task(house.messages.send(house.call(), request))
    await goes_out(house, lease, await first_accepted(house), Refused("463"))
    answer = await waiting
    assert not answer.wait_satisfied
    assert answer.message.state == State.STATE_FAILED
    assert answer.message.failure.provider_code == "463"


@pytest.mark.parametrize("seconds", [0.2, -1])
async def test_running_out_of_time_is_no_error(house: House, seconds: float) -> None:
    request = a_send()
    request.wait_for = pb.SendMessageRequest.WAIT_FOR_SENT
    answer = await house.messages.send(house.call(seconds=1 + seconds), request)
    assert not answer.wait_satisfied
    assert answer.message.state == State.STATE_QUEUED


async def test_a_wait_is_cut_short_when_the_server_stops(house: House) -> None:
    request = a_send()
    request.wait_for = pb.SendMessageRequest.WAIT_FOR_SENT
    waiting = asyncio.create_task(house.messages.send(house.call(), request))
    await first_accepted(house)
    house.stopping.set()
    assert (await waiting).message.state == State.STATE_QUEUED


async def test_a_queued_message_can_be_cancelled_and_one_that_is_cancelled_stays_so(house: House) -> None:
    message_id = await house.send()
    for _ in range(2):
        answer = await house.messages.cancel(house.call(), cancel(message_id))
        assert answer.message.state == State.STATE_CANCELED
    assert await house.states(message_id) == ["CANCELED"]


async def test_what_is_being_handed_over_or_has_left_cannot_be_cancelled(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await house.outbox.begin(lease, message_id)
    with pytest.raises(MessageNotCancelable) as caught:
        await house.messages.cancel(house.call(), cancel(message_id))
    assert caught.value.facts == {"message_id": message_id, "state": "STATE_SENDING"}
    sent = await house.send()
    await goes_out(house, lease, sent)
    with pytest.raises(MessageNotCancelable):
        await house.messages.cancel(house.call(), cancel(sent))


async def test_a_repeated_cancel_is_told_as_such(house: House) -> None:
    message_id = await house.send()
    request = cancel(message_id)
    request.request_id = "r-2"
    assert not (await house.messages.cancel(house.call(), request)).repeated_request
    assert (await house.messages.cancel(house.call(), request)).repeated_request
    request.message_id = await house.send()
    with pytest.raises(RequestIdReused):
        await house.messages.cancel(house.call(), request)


async def test_what_ended_unsent_is_sent_anew_under_new_ids(house: House) -> None:
    old = await house.messages.send(house.call(), a_send("Good morning"))
    await house.messages.cancel(house.call(), cancel(old.message.message_id))
    new = (await house.messages.retry(house.call(), retry(old.message.message_id))).message
    assert new.retry_of_message_id == old.message.message_id
    assert new.message_id != old.message.message_id
    assert new.provider_message_id != old.message.provider_message_id
    assert (new.content, new.chat, new.state) == (old.message.content, old.message.chat, State.STATE_QUEUED)


async def test_only_what_ended_unsent_can_be_sent_anew(house: House, lease: Lease) -> None:
    queued = await house.send()
    received = await arrives(house, lease, "Good day")
    for message_id in (queued, received):
        with pytest.raises(MessageNotRetryable):
            await house.messages.retry(house.call(), retry(message_id))
    await goes_out(house, lease, queued)
    with pytest.raises(MessageNotRetryable):
        await house.messages.retry(house.call(), retry(queued))


async def test_one_retry_however_often_it_is_asked_for(house: House) -> None:
    message_id = await house.send()
    await house.messages.cancel(house.call(), cancel(message_id))
    request = retry(message_id)
    request.request_id = "r-3"
    answers = await asyncio.gather(*(house.messages.retry(house.call(), request) for _ in range(5)))
    assert len({answer.message.message_id for answer in answers}) == 1
    assert sum(answer.repeated_request for answer in answers) == 4


async def test_a_message_is_found_in_its_own_session_alone(house: House) -> None:
    await house.linked("support")
    message_id = await house.send()
    with pytest.raises(MessageNotFound):
        await house.shown(message_id, "support")
    with pytest.raises(SessionNotFound):
        await house.shown(message_id, "nowhere")
    request = pb.GetMessageRequest(session_id="sales", message_id=message_id)
    with pytest.raises(SessionNotFound):
        await house.messages.get(house.call(tenant="other"), request)


async def test_pages_of_a_list_hold_every_message_once_the_newest_first(house: House) -> None:
    sent = [await house.send(f"number {number}") for number in range(7)]
    request, listed = pb.ListMessagesRequest(session_id="sales", page_size=3), []
    while True:
        page = await house.messages.list(house.call(), request)
        listed += [message.message_id for message in page.messages]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert listed == sent[::-1]


async def test_a_page_token_of_another_filter_or_list_is_refused(house: House) -> None:
    for _ in range(2):
        await house.send()
    token = (
        await house.messages.list(house.call(), pb.ListMessagesRequest(session_id="sales", page_size=1))
    ).next_page_token
    for other in (
        pb.ListMessagesRequest(session_id="-", page_token=token),
        pb.ListMessagesRequest(session_id="sales", states=[State.STATE_SENT], page_token=token),
    ):
        with pytest.raises(PageTokenInvalid):
            await house.messages.list(house.call(), other)
    larger = pb.ListMessagesRequest(session_id="sales", page_size=2, page_token=token)
    assert len((await house.messages.list(house.call(), larger)).messages) == 1


async def test_a_list_shows_what_every_field_of_its_filter_matches(house: House, lease: Lease) -> None:
    await house.linked("support")
    to_ada, to_bob = await house.send(to="+4915100000011"), await house.send(to="+4915100000012")
    elsewhere = await house.send(to="+4915100000011", session_id="support")
    received = await arrives(house, lease, "Good day", phone_number="+4915100000011")
    await goes_out(house, lease, to_bob)

    async def listed(**which: object) -> set[str]:
        request = pb.ListMessagesRequest(**which)  # type: ignore[arg-type]
        return {message.message_id for message in (await house.messages.list(house.call(), request)).messages}

    assert await listed(session_id="-") == {to_ada, to_bob, elsewhere, received}
    assert await listed(session_id="support") == {elsewhere}
    assert await listed(session_id="sales", chat="+4915100000011") == {to_ada, received}
    assert await listed(session_id="sales", direction=1) == {received}
    assert await listed(session_id="-", states=[State.STATE_SENT, State.STATE_RECEIVED]) == {to_bob, received}
    with pytest.raises(IdentityNotFound):
        await listed(session_id="-", chat="+4915100000099")


async def test_a_session_does_not_list_what_an_earlier_one_of_its_id_sent(house: House) -> None:
    of_the_first = await house.send()
    await house.sessions.delete(house.call(), DeleteSessionRequest(session_id="sales", force=True))
    await house.create("sales")
    for session_id, expected in (("sales", []), ("-", [of_the_first])):
        page = await house.messages.list(house.call(), pb.ListMessagesRequest(session_id=session_id))
        assert [message.message_id for message in page.messages] == expected


async def test_receipts_are_listed_with_each_persons_moments(house: House, lease: Lease) -> None:
    message_id = await house.send()
    await goes_out(house, lease, message_id)
    await receipt(house, lease, Level.LEVEL_READ, message_id)
    request = pb.ListReceiptsRequest(session_id="sales", message_id=message_id)
    (one,) = (await house.messages.receipts(house.call(), request)).receipts
    assert one.participant.phone_number == "+4915112345678"
    assert one.HasField("deliver_time")
    assert one.HasField("read_time")
    assert not one.HasField("play_time")


async def test_a_message_accepted_is_due_at_once_and_given_up_after_a_day(house: House) -> None:
    message = await house.message(await house.send())
    assert message.due_time == message.create_time
    assert message.give_up_time == message.create_time + timedelta(hours=24)


async def first_accepted(house: House) -> str:
    """The id of the message that is accepted first."""

    async def is_accepted() -> bool:
        return bool(await house.log("message.accepted"))

    await eventually(is_accepted)
    return (await house.log("message.accepted"))[0].message_accepted.message.message_id


def cancel(message_id: str) -> pb.CancelMessageRequest:
    return pb.CancelMessageRequest(session_id="sales", message_id=message_id)


def retry(message_id: str) -> pb.RetryMessageRequest:
    return pb.RetryMessageRequest(session_id="sales", message_id=message_id)
