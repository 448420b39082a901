"""Redis: whether it can be reached, takes writes, and throws nothing away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from gateway.doctor.findings import Finding, fine, problem, warning

OLDEST: Final = (6, 2)
"""From here on streams can be trimmed and claimed as the queue does it."""
FULL: Final = 0.9
"""Of maxmemory: from here on it is time to look."""
_PATIENCE: Final = 10.0


async def redis(url: str) -> list[Finding]:
    """Look at the Redis of a queue."""
    try:
        client = Redis.from_url(url, socket_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0))
    except ValueError:
        advice = "Write it like redis://HOST:6379/0, rediss://… or unix:///PATH."
        return [problem("queue.url", "queue.url is no URL of a Redis.", advice)]
    try:
        async with asyncio.timeout(_PATIENCE):
            told = await client.info("default")
    except (RedisError, OSError) as error:  # a timeout is an OSError
        return [unreachable(url, error)]
    finally:
        await client.aclose()
    return [fine("queue.reachable", "It can be reached."), *server(told)]


def unreachable(url: str, error: Exception) -> Finding:
    """Tell of a server that nobody can speak to. Says nothing of the URL but where it leads."""
    parts = urlsplit(url)
    where = parts.hostname or parts.path
    said = f"Redis at {where} cannot be reached: {_why(error)}."
    advice = "See that it runs and that queue.url is right. Until then messages and events take longer; none is lost."
    return problem("queue.reachable", said, advice)


def server(told: Mapping[str, Any]) -> list[Finding]:
    """Judge what a server tells of itself with INFO."""
    return [_release(told), _role(told), _policy(told), _memory(told), _persistence(told)]


def _why(error: Exception) -> str:
    match error:
        case AuthenticationError():
            return "it does not accept the password"
        case NoPermissionError():
            return "the user may not ask INFO"
        case TimeoutError():
            return "it does not answer in time"
        case _:
            return "nobody listens there, or it is no Redis"


def _release(told: Mapping[str, Any]) -> Finding:
    version = str(told.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) >= OLDEST:
        return fine("queue.version", f"Redis {version}.")
    wanted = ".".join(map(str, OLDEST))
    return problem("queue.version", f"Redis {version} is too old.", f"Use Redis {wanted} or later.")


def _role(told: Mapping[str, Any]) -> Finding:
    if told.get("role") == "master":
        return fine("queue.role", "It takes writes.")
    return problem("queue.role", "It is a replica, and takes no writes.", "Let queue.url lead to the primary.")


def _policy(told: Mapping[str, Any]) -> Finding:
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        return fine("queue.policy", "It throws nothing away by itself.")
    said = f"maxmemory-policy is {policy}: when memory is short it throws away what rings the bells."
    return problem("queue.policy", said, "Set maxmemory-policy to noeviction.")


def _memory(told: Mapping[str, Any]) -> Finding:
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    shown = f"It uses {used // 1024**2} MiB"
    if not most:
        return fine("queue.memory", f"{shown}, and may use all there is.")
    said = f"{shown} of {most // 1024**2}."
    if used < most * FULL:
        return fine("queue.memory", said)
    return warning("queue.memory", said, "Raise maxmemory, or find out who else writes there: the queue needs little.")


def _persistence(told: Mapping[str, Any]) -> Finding:
    failed = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if told.get(name, "ok") != "ok"]
    if failed:
        said = f"It cannot write its file ({', '.join(failed)}), and may refuse all that is new."
        return problem("queue.persistence", said, "Make room on its disk, and see its log.")
    kept = "It keeps what it holds over a restart." if told.get("aof_enabled") else "A restart empties it."
    return fine("queue.persistence", f"{kept} Nothing depends on it: the database has it all.")
