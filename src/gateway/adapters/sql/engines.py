"""Databases by their URL."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.adapters.sql import postgres, sqlite
from gateway.adapters.sql.idioms import Database
from gateway.adapters.sql.postgres import PostgresDatabase, PostgresOptions
from gateway.adapters.sql.sqlite import SqliteDatabase


def database_at(url: str, options: PostgresOptions) -> Database:
    """The database at `url`, as stores open it."""
    return PostgresDatabase(url, options) if is_postgresql(url) else SqliteDatabase(url)


def is_postgresql(url: str) -> bool:
    """Whether `url` names a PostgreSQL."""
    return make_url(url).get_backend_name() == "postgresql"


def migrating_engine(url: str) -> AsyncEngine:
    """One connection to the database at `url`, for whoever works on the schema."""
    return postgres.migrating_engine(url) if is_postgresql(url) else sqlite.writing_engine(url)
