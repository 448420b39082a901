"""While Redis is away, or after it forgot everything, all that a fleet does takes longer: no more than that."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.stage.fleet import Fleet
from tests.stage.redis import RedisServer
from tests.stage.shop import State
from tests.stage.waiting import eventually
from wagate.v1 import contact_service_pb2, message_pb2, system_service_pb2

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("whole_fleet", ["redis"], indirect=True, scope="package"),
]

SOON = 20.0
Message = message_pb2.Message


@pytest.fixture
async def redis(fleet: Fleet) -> AsyncIterator[RedisServer]:
    """The fleet's Redis, which runs again afterwards."""
    assert fleet.redis is not None
    yield fleet.redis
    if not fleet.redis.process.runs:
        await fleet.redis.start()
    for worker in fleet.workers:
        await worker.numbers.until("wagate_queue_up", 1, within=SOON)


async def works(fleet: Fleet) -> None:
    """A session is made, linked, used and stopped, through three processes."""
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    second, third = fleet.through(1, shop), fleet.through(2, shop)
    async with third.events("message.*") as events, ada.inbox() as inbox:
        accepted = await second.accept(ada.phone_number, "hello")
        assert (await inbox.next(within=SOON)).text == "hello"
        async with third.watch(accepted.message_id) as message:
            await message.until(lambda shown: shown.state == Message.STATE_SENT, within=SOON)
        await ada.say(shop.phone_number, "hello yourself")
        await events.until(lambda event: event.HasField("message_received"), within=SOON)
    request = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=[ada.phone_number])
    answer = await second.gateway.contacts.CheckContacts(request, timeout=SOON)
    assert answer.results[0].on_whatsapp
    await second.stop()
    assert (await third.status()).state == State.STATE_STOPPED


async def test_all_works_while_redis_is_away_and_says_so(fleet: Fleet, redis: RedisServer) -> None:
    await redis.kill()
    for worker in fleet.workers:
        await worker.numbers.until("wagate_queue_up", 0, within=SOON)

    async def is_said() -> bool:
        stats = await fleet.apis[0].system.GetStats(system_service_pb2.GetStatsRequest())
        return not stats.queue.serving and bool(stats.queue.message)

    await eventually(is_said, SOON)
    await works(fleet)


async def test_all_works_when_redis_forgets_everything_again_and_again(fleet: Fleet, redis: RedisServer) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    request = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=[ada.phone_number])
    async with ada.inbox() as inbox:
        for number in range(5):
            await redis.flush()
            await fleet.through(1, shop).accept(ada.phone_number, f"{number}")
            assert (await fleet.apis[2].contacts.CheckContacts(request, timeout=SOON)).results[0].on_whatsapp
            assert (await inbox.next(within=SOON)).text == f"{number}"
