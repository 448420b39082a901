"""The numbers for Prometheus tell what happened."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from tests.unit.waiting import eventually


class Numbers:
    """What /metrics shows."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def now(self) -> dict[str, float]:
        """Each number by its name, with its labels as in `name{value}`; what is not shown is 0."""
        text = await asyncio.to_thread(self._get)
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return defaultdict(float, {f"{sample.name}{_labels(sample.labels)}": sample.value for sample in samples})

    async def until(self, name: str, number: float) -> dict[str, float]:
        """All numbers, once one is as it should be."""

        async def shown() -> bool:
            return (await self.now())[name] == number

        await eventually(shown)
        return await self.now()

    def _get(self) -> str:
        with urllib.request.urlopen(self._url, timeout=5) as response:
            return str(response.read().decode())


def _labels(labels: dict[str, str]) -> str:
    return f"{{{','.join(labels.values())}}}" if labels else ""


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
        during = await numbers.until("wagate_sessions{STATE_CONNECTED}", 1)
    await shop.stop()
    for text in ("four", "five", "six"):
        await shop.accept(ada.phone_number, text)
    after = await numbers.until("wagate_outbox_messages", 3)
    assert (during["wagate_streams"], after["wagate_streams"]) == (1, 0)
    assert during["wagate_outbox_messages"] == during["wagate_outbox_age_seconds"] == 0
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
