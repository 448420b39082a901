from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.services.system import System
from tests.unit.services.house import House
from tests.unit.workers.crew import worker
from tests.unit.workers.scripted_provider import ScriptedProvider, alone
from wagate.v1 import system_service_pb2 as pb


async def test_the_server_says_what_it_is_what_it_allows_and_how_its_providers_fare(house: House) -> None:
    provider = ScriptedProvider()
    system = System(alone(provider), version="1.2.3", request_bytes=4096, give_up_after=timedelta(hours=24))
    info = await system.info(house.call(), pb.GetServerInfoRequest())
    assert not info.retention.HasField("events")
    assert not info.retention.HasField("messages")
    assert (info.version, info.limits.request_bytes) == ("1.2.3", 4096)
    assert (info.limits.page_size, info.limits.pairing_watchers, info.limits.text_characters) == (500, 8, 65_536)
    assert info.limits.give_up_after.ToTimedelta() == timedelta(hours=24)
    assert info.retention.request_ids.ToTimedelta() >= timedelta(days=7)
    assert info.start_time.ToNanoseconds() <= info.server_time.ToNanoseconds()
    (one,) = info.providers
    assert (one.provider, one.is_default, list(one.capabilities)) == ("web", True, ["send.text"])
    assert one.health == pb.ProviderInfo.HEALTH_SERVING
    provider.is_down = True
    (one,) = (await system.info(house.call(), pb.GetServerInfoRequest())).providers
    assert one.health == pb.ProviderInfo.HEALTH_NOT_SERVING


async def test_a_server_without_a_worker_of_its_own_says_whether_any_is_at_work(house: House) -> None:
    system = System(
        alone(ScriptedProvider()),
        version="1.2.3",
        request_bytes=4096,
        give_up_after=timedelta(hours=24),
        others_at_work=house.workers.are_at_work,
    )

    async def shown() -> tuple[pb.ProviderInfo.Health.ValueType, str]:
        (one,) = (await system.info(house.call(), pb.GetServerInfoRequest())).providers
        return one.health, one.health_message

    assert await shown() == (pb.ProviderInfo.HEALTH_NOT_SERVING, "No worker is at work.")
    await house.leases.check_in(worker(), timedelta(seconds=15))
    assert await shown() == (pb.ProviderInfo.HEALTH_SERVING, "")
    await house.leases.check_in(replace(worker(), is_draining=True), timedelta(seconds=15))
    assert await shown() == (pb.ProviderInfo.HEALTH_NOT_SERVING, "No worker is at work.")
