"""Presence: no process begins on a schema that does not suit it, and those that share a database are known to it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.adapters.sql.migrating import schema_of
from gateway.adapters.sql.processes import SqlProcesses
from gateway.adapters.sql.schema import wanted
from gateway.bootstrap.ground import is_sqlite, store_url
from gateway.domain.ids import PROCESS, make_id
from gateway.domain.processes import Process
from gateway.settings import Settings
from gateway.version import VERSION
from gateway.workers.presence import Presence


@asynccontextmanager
async def present(settings: Settings, role: str) -> AsyncIterator[None]:
    """See that the database's schema suits this version, and be in its register while the context lasts.

    Raises:
        SchemaUnfit: it does not, or does no longer.
        StoreUnavailable: the database cannot be reached.
    """
    url = store_url(settings)
    (await schema_of(url)).must_fit()
    if is_sqlite(url):
        yield
        return
    process = Process(make_id(PROCESS), role, VERSION, wanted(), socket.gethostname())
    async with Presence(SqlProcesses(url), process).kept():
        yield
