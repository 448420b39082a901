"""The database: which one it is decides who looks at it."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.bootstrap import store_url
from gateway.doctor.findings import Finding, problem
from gateway.doctor.postgresql import postgresql
from gateway.doctor.sqlite import sqlite
from gateway.settings import Settings


async def database(settings: Settings) -> list[Finding]:
    """Look at the database."""
    try:
        url = make_url(store_url(settings))
    except ArgumentError:
        said = "store.url is no SQLAlchemy URL."
        return [problem("database.url", said, "Write it like postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE.")]
    match url.get_backend_name():
        case "sqlite":
            return await sqlite(url)
        case "postgresql":
            return await postgresql(url)
        case other:
            said = f"store.url names {other}, which the gateway does not speak."
            return [problem("database.url", said, "Use PostgreSQL, or leave store.url empty for SQLite.")]
