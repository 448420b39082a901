"""A queue is looked at where there is one, and missed where there should be."""

from __future__ import annotations

from gateway.doctor.findings import Level
from gateway.doctor.queue import queue
from tests.unit.doctor.conftest import With


async def test_one_process_needs_no_queue(settings_with: With) -> None:
    assert [finding.level for finding in await queue(settings_with())] == [Level.OK]


async def test_many_processes_without_a_redis_are_warned_of(settings_with: With) -> None:
    settings = settings_with(store={"url": "postgresql+asyncpg://box/wagate"})
    assert [finding.level for finding in await queue(settings)] == [Level.WARNING]


async def test_the_redis_of_the_settings_is_looked_at(settings_with: With) -> None:
    (finding,) = await queue(settings_with(queue={"url": "redis://:topsecret@127.0.0.1:1/0"}))
    assert (finding.check, finding.level) == ("queue.reachable", Level.PROBLEM)
    assert finding.said.startswith("Redis at 127.0.0.1 cannot be reached")
    assert "topsecret" not in repr(finding)
