"""The numbers for Prometheus tell what happened."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.stage.numbers import Numbers


@pytest.fixture
async def measured(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[World, Numbers]]:
    """A gateway that shows its numbers."""
    environment = {**lab.environment, "WAGATE_METRICS__LISTEN": "127.0.0.1:0"}
    async with gateway_process(tmp_path_factory.mktemp("measured") / "gateway", environment) as gateway:
        ready = json.loads(await gateway.process.said())
        yield World(gateway, lab), Numbers(f"http://{ready['metrics']}/metrics")


async def test_the_numbers_tell_what_happened(measured: tuple[World, Numbers]) -> None:
    world, numbers = measured
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.*") as events, ada.inbox() as inbox:
        for text in ("one", "two"):
            await shop.accept(ada.phone_number, text)
            await inbox.next()
        await ada.say(shop.phone_number, "three")
        await events.until(lambda event: event.HasField("message_received"))
        during = await numbers.now()
    await shop.stop()
    for text in ("four", "five", "six"):
        await shop.accept(ada.phone_number, text)
    after = await numbers.until("wagate_outbox_messages", 3)
    assert (during["wagate_streams"], after["wagate_streams"]) == (1, 0)
    assert 0 < after["wagate_outbox_age_seconds"] < 60
    assert after["wagate_messages_accepted_total"] == 5
    assert after["wagate_send_attempts_total{sent}"] == 2
    assert after["wagate_sessions{STATE_STOPPED}"] == 1
    assert after["wagate_inbound_commit_seconds_count"] >= 3, "a message, and receipts"
    assert after["wagate_inbound_commit_seconds_sum"] < after["wagate_inbound_commit_seconds_count"]
    assert after["wagate_group_size_count"] > 5
    assert after["wagate_stream_lag_seconds_count"] >= 1
    assert after["wagate_inbound_refused_total"] == after["wagate_engine_restarts_total"] == 0
    assert after["wagate_calls_total{OK,MessageService/SendMessage}"] == 5
    assert after["wagate_call_seconds_count{MessageService/SendMessage}"] == 5
