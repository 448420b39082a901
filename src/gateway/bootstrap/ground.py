"""The ground that every role stands on: the store, the queue, and what is counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.adapters.sql.postgres import PostgresOptions
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import SqlStore, open_store
from gateway.bootstrap.queues import open_queue
from gateway.domain.retention import Retention
from gateway.observability.exposition import exposed
from gateway.observability.metrics import PrometheusMeter
from gateway.ports.queue import Queue
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """What services and workers share."""

    settings: Settings
    store: SqlStore
    queue: Queue
    meter: PrometheusMeter
    metrics_address: str

    @property
    def is_alone(self) -> bool:
        """Whether no other process works on the store: a file of SQLite lies in a folder that is locked."""
        return is_sqlite(store_url(self.settings))

    @property
    def retention(self) -> Retention:
        """How long things are kept."""
        wanted = self.settings.retention
        return Retention(events=wanted.events, messages=wanted.messages)


@asynccontextmanager
async def laid(settings: Settings) -> AsyncIterator[Ground]:
    """The ground, on a database that is migrated, while the context lasts.

    Raises:
        StoreUnavailable: the database cannot be opened.
        CannotListen: the numbers cannot be shown where they should be.
    """
    meter = PrometheusMeter()
    url = store_url(settings)
    key = settings.access.key.get_secret_value()

    def ring(*bells: str) -> None:
        queue.ring(*bells)

    async with (
        exposed(meter.registry, settings.metrics.listen, key) as metrics_address,
        open_store(url, ring=ring, committed=meter.group_committed, options=store_options(settings)) as store,
        open_queue(settings, store, alone=is_sqlite(url), changed=meter.queue_up) as queue,
    ):
        yield Ground(settings, store, queue, meter, metrics_address)


def store_url(settings: Settings) -> str:
    """Where the database is: as the settings say, else a file in the data folder."""
    said = settings.store.url.get_secret_value()
    return said or url_of(settings.data.folder.resolve() / "wagate.db")


def store_options(settings: Settings) -> PostgresOptions:
    """How connections to a PostgreSQL behave."""
    wanted = settings.store
    return PostgresOptions(
        readers=wanted.readers,
        connect_timeout=wanted.connect_timeout,
        statement_timeout=wanted.statement_timeout,
        lock_timeout=wanted.lock_timeout,
        idle_in_transaction_timeout=wanted.idle_in_transaction_timeout,
    )


def is_sqlite(url: str) -> bool:
    """Whether a database is a file, or memory, of one process."""
    return url.startswith("sqlite")
