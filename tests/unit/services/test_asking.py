"""What asks WhatsApp while the caller waits: once per request_id, however often and however late the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.domain.errors import (
    OutcomeOpen,
    OwnerUnavailable,
    RequestIdReused,
    SessionNotConnected,
    SessionNotFound,
    ShuttingDown,
    ValidationFailed,
)
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState, Party
from gateway.ports.queue import owner_name
from gateway.services.asking import LiveRequests, Owners
from gateway.services.repeats import Repeat
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.telling import arrives, person, place, says
from tests.unit.workers.crew import connected
from tests.unit.workers.scripted_provider import ScriptedLine
from wagate.v1 import contact_service_pb2 as pb
from wagate.v1 import message_service_pb2 as message_pb
from wagate.worker.v1 import owner_pb2

ADA = "+4915100000011"


def check(*numbers: str, request_id: str = "", session_id: str = "sales") -> pb.CheckContactsRequest:
    return pb.CheckContactsRequest(session_id=session_id, phone_numbers=numbers or [ADA], request_id=request_id)


@pytest.fixture
async def line(house: House, lease: Lease) -> AsyncIterator[ScriptedLine]:
    """The line of `sales`, up; Ada has an account."""
    house.provider.accounts[ADA] = Names("200@lid", ADA)
    async with connected(house, lease) as it:
        yield it


class Silence:
    """WhatsApp says nothing until it is let to."""

    def __init__(self, house: House) -> None:
        self._over = asyncio.Event()
        house.provider.patience = self._wait

    async def _wait(self) -> None:
        await self._over.wait()

    def end(self) -> None:
        self._over.set()


@pytest.mark.usefixtures("line")
async def test_who_has_an_account_is_answered_in_the_order_of_the_question_and_remembered(house: House) -> None:
    answer = await house.contacts.check(house.call(), check("+4915100000099", ADA))
    assert [(one.requested, one.on_whatsapp) for one in answer.results] == [("+4915100000099", False), (ADA, True)]
    assert not answer.results[0].HasField("identity")
    known = await house.whose("200@lid")
    assert known is not None
    assert answer.results[1].identity.id == known.identity_id


@pytest.mark.usefixtures("line")
async def test_one_request_id_asks_once_however_many_ask_at_once_and_later(house: House) -> None:
    request = check(request_id="r-1")
    answers = await asyncio.gather(*(house.contacts.check(house.call(), request) for _ in range(10)))
    answers.append(await house.contacts.check(house.call(), request))
    assert house.provider.checks == 1
    assert sorted(answer.repeated_request for answer in answers) == [False, *[True] * 10]
    assert len({answer.results[0].identity.id for answer in answers}) == 1


@pytest.mark.usefixtures("line")
async def test_without_a_request_id_every_call_asks(house: House) -> None:
    for _ in range(2):
        assert not (await house.contacts.check(house.call(), check())).repeated_request
    assert house.provider.checks == 2


@pytest.mark.usefixtures("line")
async def test_a_deadline_leaves_the_outcome_open_and_the_same_id_tells_it_once_it_is_known(house: House) -> None:
    silence, request = Silence(house), check(request_id="r-1")
    with pytest.raises(OutcomeOpen):
        await house.contacts.check(house.call(seconds=0.5), request)
    again = asyncio.create_task(house.contacts.check(house.call(), request))
    silence.end()
    answer = await again
    assert (answer.repeated_request, answer.results[0].on_whatsapp) == (True, True)
    assert (await house.contacts.check(house.call(), request)).repeated_request
    assert house.provider.checks == 1


@pytest.mark.usefixtures("line")
async def test_the_answer_is_kept_though_its_caller_went_away(house: House) -> None:
    silence, request = Silence(house), check(request_id="r-1")
    calling = asyncio.create_task(house.contacts.check(house.call(), request))
    await eventually(lambda: house.provider.checks == 1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    silence.end()
    assert (await house.contacts.check(house.call(), request)).repeated_request
    assert house.provider.checks == 1


@pytest.mark.usefixtures("line")
async def test_another_body_is_refused_while_the_first_is_under_way_and_afterwards(house: House) -> None:
    silence, other = Silence(house), check("+4915100000099", request_id="r-1")
    first = asyncio.create_task(house.contacts.check(house.call(), check(request_id="r-1")))
    await eventually(lambda: house.provider.checks == 1)
    with pytest.raises(RequestIdReused):
        await house.contacts.check(house.call(), other)
    silence.end()
    await first
    with pytest.raises(RequestIdReused):
        await house.contacts.check(house.call(), other)


async def test_an_error_leaves_the_request_id_free(house: House, line: ScriptedLine) -> None:
    request = check(request_id="r-1")
    await line.tell(LineChanged(LineState.DEGRADED))
    with pytest.raises(SessionNotConnected) as caught:
        await house.contacts.check(house.call(), request)
    assert caught.value.facts == {"session_id": "sales", "state": "STATE_DEGRADED"}
    await line.tell(LineChanged(LineState.CONNECTED))
    assert not (await house.contacts.check(house.call(), request)).repeated_request


async def test_a_fault_in_one_question_is_told_to_its_callers_and_harms_no_other(house: House) -> None:
    async def ask(_: object) -> pb.CheckContactsResponse:
        raise ZeroDivisionError

    request = check(request_id="r-1")
    repeat = Repeat(house.call(), "CheckContacts", "sales", "r-1", request)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await house.live.once(house.call(), repeat, pb.CheckContactsResponse, ask)


async def test_questions_under_way_end_with_the_server(house: House) -> None:
    live, stopping = LiveRequests(house.store), asyncio.Event()
    repeat = Repeat(house.call(), "CheckContacts", "sales", "r-1", check(request_id="r-1"))
    asked = asyncio.Event()

    async def ask(_: object) -> pb.CheckContactsResponse:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(live.run(stopping))
    await asyncio.sleep(0)
    calling = asyncio.create_task(live.once(house.call(), repeat, pb.CheckContactsResponse, ask))
    await asked.wait()
    stopping.set()
    await asyncio.wait_for(running, SECONDS)
    with pytest.raises(ShuttingDown):
        await calling
    with pytest.raises(ShuttingDown):
        await live.once(house.call(), repeat, pb.CheckContactsResponse, ask)


async def test_a_question_that_had_not_even_begun_as_questions_ended_is_answered(house: House) -> None:
    live, stopping, request = LiveRequests(house.store), asyncio.Event(), check(request_id="r-1")

    async def never(_: object) -> pb.CheckContactsResponse:
        raise AssertionError

    running = asyncio.create_task(live.run(stopping))
    await asyncio.sleep(0)
    repeat = Repeat(house.call(), "CheckContacts", "sales", "r-1", request)
    calling = asyncio.create_task(live.once(house.call(), repeat, pb.CheckContactsResponse, never))
    stopping.set()
    with pytest.raises(ShuttingDown):
        await asyncio.wait_for(calling, SECONDS)
    await running


async def test_without_an_owner_a_call_is_told_to_come_back(house: House, lease: Lease) -> None:
    del lease
    with pytest.raises(OwnerUnavailable) as caught:
        await house.contacts.check(house.call(), check())
    assert caught.value.retry_after is not None
    with pytest.raises(SessionNotFound):
        await house.contacts.check(house.call(), check(session_id="nowhere"))


@pytest.mark.usefixtures("line")
async def test_an_owner_that_ends_in_the_midst_of_a_question_is_unavailable_before_the_deadline(
    house: House, lease: Lease
) -> None:
    Silence(house)
    calling = asyncio.create_task(house.contacts.check(house.call(), check()))
    await eventually(lambda: house.provider.checks == 1)
    await house.leases.release(lease)
    house.provider.lines[0].begin_to_tell(LineChanged(LineState.DEGRADED))
    with pytest.raises(OwnerUnavailable, match="lost while it was asked") as told:
        await asyncio.wait_for(calling, SECONDS)
    assert told.value.retry_after is not None


@pytest.mark.usefixtures("line")
async def test_an_owner_that_hangs_is_unavailable_once_its_lease_is_over(house: House, lease: Lease) -> None:
    Silence(house)
    calling = asyncio.create_task(house.contacts.check(house.call(), check(request_id="r-1")))
    await eventually(lambda: house.provider.checks == 1)
    await asyncio.sleep(0.2)
    assert not calling.done(), "as long as the lease is held, the answer may come"
    await house.leases.release(lease)
    with pytest.raises(OwnerUnavailable):
        await asyncio.wait_for(calling, SECONDS)


async def test_an_owner_that_appears_in_time_is_asked(house: House, lease: Lease) -> None:
    queue = EmbeddedQueue()
    session = await house.session()

    async def answer(raw: bytes) -> bytes:
        assert owner_pb2.OwnerRequest.FromString(raw).session_uid == lease.session_uid
        return owner_pb2.OwnerReply(done=owner_pb2.Done()).SerializeToString()

    question, owners = owner_pb2.OwnerRequest(), Owners(house.store, queue)
    asking = asyncio.create_task(owners.ask(house.call(), session, question, patience=SECONDS))
    await asyncio.sleep(0)
    async with queue.serve(owner_name(lease.session_uid), answer):
        assert (await asking).HasField("done")


async def test_what_is_repeatable_is_asked_of_the_next_owner_when_the_first_just_ends(
    house: House, lease: Lease
) -> None:
    queue, session, asked = EmbeddedQueue(), await house.session(), asyncio.Barrier(3)

    async def say_nothing(_: bytes) -> bytes:
        await asked.wait()
        await asyncio.Event().wait()
        raise AssertionError

    async def answer(_: bytes) -> bytes:
        return owner_pb2.OwnerReply(done=owner_pb2.Done()).SerializeToString()

    owners, name = Owners(house.store, queue), owner_name(lease.session_uid)
    async with queue.serve(name, say_nothing):
        asking = [
            asyncio.create_task(
                owners.ask(house.call(), session, owner_pb2.OwnerRequest(), patience=SECONDS, repeatable=repeatable)
            )
            for repeatable in (True, False)
        ]
        await asked.wait()
    async with queue.serve(name, answer):
        assert (await asking[0]).HasField("done")
    with pytest.raises(OwnerUnavailable, match="lost while it was asked"):
        await asking[1]


async def test_received_messages_are_marked_read_for_each_sender_at_once(
    house: House, lease: Lease, line: ScriptedLine
) -> None:
    ada = [await arrives(house, lease, text, lid="200@lid", phone_number=ADA) for text in ("one", "two")]
    bob = await arrives(house, lease, "three", lid="201@lid", phone_number="")
    request = message_pb.MarkMessagesReadRequest(session_id="sales", message_ids=[*ada, bob], request_id="r-1")
    assert not (await house.reading.mark_read(house.call(), request)).repeated_request
    assert (await house.reading.mark_read(house.call(), request)).repeated_request
    names = [(await house.message(message_id)).provider_message_id for message_id in (*ada, bob)]
    assert line.read == [("200@lid", "200@lid", tuple(names[:2])), ("201@lid", "201@lid", (names[2],))]


async def test_what_someone_said_in_two_chats_is_marked_read_in_each(
    house: House, lease: Lease, line: ScriptedLine
) -> None:
    ada, group = person("200@lid", ADA), Party(place_jid="120363025246125486@g.us")
    where = [place(ada, "3A01"), place(group, "3A02", sender=ada), place(group, "3A03", sender=person("201@lid"))]
    for one in where:
        await house.inbox.message(lease, says("hello", one))
    message_ids = [message.message_id for message in await house.all_messages()]
    request = message_pb.MarkMessagesReadRequest(session_id="sales", message_ids=message_ids)
    await house.reading.mark_read(house.call(), request)
    assert line.read == [
        ("200@lid", "200@lid", ("3A01",)),
        (group.place_jid, "200@lid", ("3A02",)),
        (group.place_jid, "201@lid", ("3A03",)),
    ]


@pytest.mark.usefixtures("line")
async def test_only_what_was_received_can_be_marked_read_and_the_wrong_one_is_named(house: House, lease: Lease) -> None:
    received, sent = await arrives(house, lease, "one"), await house.send()
    request = message_pb.MarkMessagesReadRequest(session_id="sales", message_ids=[received, sent])
    with pytest.raises(ValidationFailed) as caught:
        await house.reading.mark_read(house.call(), request)
    assert caught.value.violations[0].field == "message_ids[1]"
