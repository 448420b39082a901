"""The queue: none where one process is alone, else a Redis."""

from __future__ import annotations

from gateway.bootstrap import is_sqlite, store_url
from gateway.doctor.findings import Finding, fine, warning
from gateway.doctor.redis import redis
from gateway.settings import Settings


async def queue(settings: Settings) -> list[Finding]:
    """Look at what processes wake each other by."""
    if url := settings.queue.url.get_secret_value():
        return await redis(url)
    if is_sqlite(store_url(settings)):
        return [fine("queue.wanted", "None is needed: one process does all.")]
    said = "queue.url is empty: processes look at the database for what is new, about once a second."
    return [warning("queue.wanted", said, "Set it to a Redis, and messages and events travel at once.")]
