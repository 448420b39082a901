"""What is PostgreSQL's own: how it is connected to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from gateway.adapters.sql.driver import Driver, Step
from gateway.adapters.sql.idioms import Idiom
from gateway.adapters.sql.postgres_driver import PostgresDriver
from gateway.adapters.sql.postgres_idiom import PostgresIdiom
from gateway.domain.clocks import from_micros
from gateway.domain.errors import StoreUnavailable

_CACHED_STATEMENTS: Final = 512
_MOMENT: Final = Step("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS moment")
_ARRAYS: Final = "SELECT $1::bigint[], $2::varchar[], ARRAY(SELECT row(1))"
"""The driver asks what these are when it first meets them: better before there is a transaction."""
_FATE: Final = "SELECT pg_xact_status($1::text::xid8) AS fate"


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """How connections behave, beyond what the URL says."""

    application_name: str = "wagate"
    readers: int = 4
    connect_timeout: timedelta = timedelta(seconds=5)
    statement_timeout: timedelta = timedelta(seconds=15)
    lock_timeout: timedelta = timedelta(milliseconds=200)
    """So long a group waits for rows that others hold, before its units are tried one by one."""
    idle_in_transaction_timeout: timedelta = timedelta(seconds=15)
    """A process that hangs holds rows for so long at most."""


class PostgresDatabase:
    """See `gateway.adapters.sql.idioms.Database`. Many processes write to it."""

    is_shared = True

    def __init__(self, url: str, options: PostgresOptions) -> None:
        self.idiom: Idiom = PostgresIdiom()
        self.readers = options.readers
        self._options = options
        _, self._arguments = self.idiom.dialect.create_connect_args(make_url(url))

    async def writing(self) -> Driver:
        return PostgresDriver(await self._connect())

    async def reading(self) -> Driver:
        return PostgresDriver(await self._connect(default_transaction_read_only="on"))

    async def moment(self, driver: Driver) -> datetime:
        ((row,),) = await driver.run([_MOMENT])
        micros: int = row["moment"]
        return from_micros(micros)

    async def fate_of(self, driver: Driver, xact: str) -> bool | None:
        ((row,),) = await driver.run([Step(_FATE, (xact,))])
        match row["fate"]:
            case "committed":
                return True
            case "aborted":
                return False
            case "in progress":
                return None
        raise StoreUnavailable

    async def _connect(self, **settings: str) -> asyncpg.Connection:
        options = self._options
        try:
            connection = await asyncpg.connect(
                **self._arguments,
                timeout=options.connect_timeout.total_seconds(),
                statement_cache_size=_CACHED_STATEMENTS,
                max_cached_statement_lifetime=0,
                max_cacheable_statement_size=0,
                server_settings={
                    "application_name": options.application_name,
                    "statement_timeout": _milliseconds(options.statement_timeout),
                    "lock_timeout": _milliseconds(options.lock_timeout),
                    "idle_in_transaction_session_timeout": _milliseconds(options.idle_in_transaction_timeout),
                    "standard_conforming_strings": "on",
                    "jit": "off",
                    **settings,
                },
            )
            await connection.prepare(_ARRAYS)
            return connection
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable from error


def _milliseconds(span: timedelta) -> str:
    return str(round(span.total_seconds() * 1000))


def migrating_engine(url: str) -> AsyncEngine:
    """Connections that wait for as long as a migration takes."""
    settings: dict[str, Any] = {"server_settings": {"application_name": "wagate migrate"}}
    return create_async_engine(url, poolclass=NullPool, connect_args=settings)
