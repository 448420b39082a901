"""Databases by their URL."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.adapters.sql import postgres, sqlite
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.sqlite import SqliteDatabase


def database_at(url: str) -> Database:
    """The database at `url`, as stores open it."""
    return SqliteDatabase(url)


def migrating_engine(url: str) -> AsyncEngine:
    """One connection to the database at `url`, for whoever works on the schema."""
    if make_url(url).get_backend_name() == "postgresql":
        return postgres.migrating_engine(url)
    return sqlite.writing_engine(url)
