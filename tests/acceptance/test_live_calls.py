"""What asks WhatsApp while the caller waits: told, or repeated until it can be."""

from __future__ import annotations

from grpc import StatusCode

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.refusing import refused
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import contact_service_pb2, message_service_pb2

Fault = lab_service_pb2.SetFaultRequest.Fault


async def test_whoever_asks_again_after_an_open_outcome_is_told_it(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    nobody = "+4915100999997"
    request = contact_service_pb2.CheckContactsRequest(
        session_id=shop.session_id, phone_numbers=[ada.phone_number, nobody], request_id="who"
    )
    await world.lab.fault(shop.account, Fault(frozen=True))
    with refused() as refusal:
        await world.gateway.contacts.CheckContacts(request, timeout=1)
    assert refusal.code == StatusCode.DEADLINE_EXCEEDED
    await world.lab.fault(shop.account)
    answer = await world.gateway.contacts.CheckContacts(request)
    assert answer.repeated_request
    assert [(result.requested, result.on_whatsapp) for result in answer.results] == [
        (ada.phone_number, True),
        (nobody, False),
    ]
    assert answer.results[0].identity.lid == ada.lid
    assert await world.gateway.contacts.CheckContacts(request) == answer


async def test_what_is_marked_read_is_read_for_its_sender(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.received") as events, world.lab.oracle() as oracle:
        said = [await ada.say(shop.phone_number, text) for text in ("one", "two")]
        ids = [(await events.next()).message_received.message.message_id for _ in said]
        request = message_service_pb2.MarkMessagesReadRequest(
            session_id=shop.session_id, message_ids=ids, request_id="seen"
        )
        answer = await world.gateway.messages.MarkMessagesRead(request)
        told = await oracle.until(lambda entry: entry.kind == Kind.KIND_FORWARDED and entry.type == "read")
        again = await world.gateway.messages.MarkMessagesRead(request)
    assert (told.account, told.peer) == (ada.phone_number, shop.phone_number)
    assert {told.provider_message_id, *told.further_provider_message_ids} == set(said)
    assert (answer.repeated_request, again.repeated_request) == (False, True)
