"""Any API process serves any session, whoever owns it."""

from __future__ import annotations

from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.stage.fleet import Fleet
from tests.stage.shop import PAIRED_WITHIN, State
from tests.stage.waiting import eventually
from wagate.v1 import contact_service_pb2, message_pb2, message_service_pb2, system_service_pb2

SOON = 20.0
Message = message_pb2.Message
WaitFor = message_service_pb2.SendMessageRequest.WaitFor


async def test_a_session_paired_through_one_process_sends_through_another_and_is_followed_from_a_third(
    fleet: Fleet,
) -> None:
    shop = await fleet.shop()
    ada = await fleet.lab.person("Ada")
    second, third = fleet.through(1, shop), fleet.through(2, shop)
    assert (await second.status()).state == State.STATE_CONNECTED
    async with third.events("message.*") as events, ada.inbox() as inbox:
        accepted = await second.accept(ada.phone_number, "from the second")
        async with third.watch(accepted.message_id) as message:
            assert (await inbox.next(within=SOON)).text == "from the second"
            await message.until(lambda shown: shown.state == Message.STATE_SENT, within=SOON)
        await ada.say(shop.phone_number, "to all")
        told = await events.until(lambda event: event.HasField("message_received"), within=SOON)
    assert told.message_received.message.content.text.text == "to all"


async def test_watchers_of_a_pairing_see_the_same_in_whichever_process_they_watch(fleet: Fleet) -> None:
    shop = await fleet.shop(paired=False)
    async with shop.pairing() as first:
        shown = await first.until(lambda frame: frame.HasField("code"), within=SOON)
        async with fleet.through(1, shop).pairing() as second:
            assert await second.next(within=SOON) == shown
            await fleet.lab.scan(shop.account, shown.code.text)
            assert await second.end(within=PAIRED_WITHIN) == await first.end(within=PAIRED_WITHIN)


async def test_a_question_to_whatsapp_is_answered_in_every_process_and_remembered_by_all(fleet: Fleet) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    request = contact_service_pb2.CheckContactsRequest(
        session_id=shop.session_id, phone_numbers=[ada.phone_number], request_id="once"
    )
    answers = [await api.contacts.CheckContacts(request, timeout=SOON) for api in fleet.apis]
    assert [answer.results[0].on_whatsapp for answer in answers] == [True, True, True]
    assert [answer.repeated_request for answer in answers] == [False, True, True]


async def test_a_send_waits_for_what_happens_in_another_process(fleet: Fleet) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    async with ada.inbox():
        sent = await fleet.through(1, shop).accept(ada.phone_number, "wait", wait_for=WaitFor.WAIT_FOR_SENT)
    assert sent.state == Message.STATE_SENT


async def test_all_say_that_they_serve(fleet: Fleet) -> None:
    for address in (*(worker.health for worker in fleet.workers), *(api.address for api in fleet.apis)):
        async with aio.insecure_channel(address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=SOON)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    (web,) = (await fleet.apis[0].system.GetServerInfo(system_service_pb2.GetServerInfoRequest())).providers
    assert (web.health, web.lab) == (system_service_pb2.ProviderInfo.HEALTH_SERVING, True)


async def test_one_worker_counts_what_there_is(fleet: Fleet) -> None:
    await fleet.shop()

    async def one_counts() -> bool:
        shown = [await worker.numbers.now() for worker in fleet.workers]
        connected = [numbers["wagate_sessions{STATE_CONNECTED}"] for numbers in shown]
        return sorted(connected)[:-1] == [0] * (len(shown) - 1) and max(connected) >= 1

    await eventually(one_counts, SOON)
