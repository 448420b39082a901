"""What is PostgreSQL's own: how it is connected to."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


def migrating_engine(url: str) -> AsyncEngine:
    """Connections that wait for as long as a migration takes."""
    return create_async_engine(
        url, poolclass=NullPool, connect_args={"server_settings": {"application_name": "wagate migrate"}}
    )
