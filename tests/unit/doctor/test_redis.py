"""Redis is reached, and takes and keeps what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.doctor.findings import Finding, Level
from gateway.doctor.redis import redis, server
from tests.stage.redis import RedisServer, redis_server

SOUND = {"redis_version": "7.4.1", "role": "master", "maxmemory_policy": "noeviction", "used_memory": 2**20}

FOUND: list[tuple[str, dict[str, str | int], Level]] = [
    ("queue.version", {"redis_version": "5.0.14"}, Level.PROBLEM),
    ("queue.role", {"role": "slave"}, Level.PROBLEM),
    ("queue.policy", {"maxmemory_policy": "allkeys-lru"}, Level.PROBLEM),
    ("queue.memory", {"maxmemory": 2**20}, Level.WARNING),
    ("queue.persistence", {"rdb_last_bgsave_status": "err"}, Level.PROBLEM),
    ("queue.persistence", {"aof_last_write_status": "err"}, Level.PROBLEM),
]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path / "redis") as server:
        yield server


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


async def test_a_redis_as_the_queue_wants_it_is_fine(running: RedisServer) -> None:
    findings = by_check(await redis(running.url))
    assert {finding.level for finding in findings.values()} == {Level.OK}
    assert findings["queue.reachable"].said == "It can be reached."


async def test_a_redis_that_throws_away_is_a_problem_until_it_does_not(running: RedisServer) -> None:
    async with running.client() as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
    assert by_check(await redis(running.url))["queue.policy"].level is Level.PROBLEM


async def test_a_redis_that_is_gone_is_a_problem_and_its_password_no_secret_told(tmp_path: Path) -> None:
    (finding,) = await redis(f"unix://:topsecret@{tmp_path}/none.sock")
    assert (finding.check, finding.level) == ("queue.reachable", Level.PROBLEM)
    assert "topsecret" not in repr(finding)


async def test_what_is_no_url_is_a_problem() -> None:
    (finding,) = await redis("localhost:6379")
    assert (finding.check, finding.level) == ("queue.url", Level.PROBLEM)


def test_a_sound_server_has_nothing_to_be_found() -> None:
    assert {finding.level for finding in server(SOUND)} == {Level.OK}


@pytest.mark.parametrize(("check", "told", "level"), FOUND)
def test_what_is_wrong_with_a_server_is_found(check: str, told: dict[str, str | int], level: Level) -> None:
    assert by_check(server(SOUND | told))[check].level is level
