"""The roles: all in one, the contract alone, or the work alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.bootstrap.contract import Contract
from gateway.bootstrap.ground import Ground, is_sqlite, laid, store_url
from gateway.bootstrap.presence import present
from gateway.bootstrap.speaking import known, spoken
from gateway.bootstrap.work import worked
from gateway.providers.simulator.simulation import Simulation
from gateway.settings import Settings
from gateway.transport.health_server import HealthServer


class NotForAFleet(Exception):
    """The settings are for a gateway that is one process."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that serves: where, and where its numbers are (empty for nowhere)."""

    grpc_address: str
    metrics_address: str


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """A worker that works: its id, and where its health and its numbers are (empty for nowhere)."""

    worker_id: str
    health_address: str
    metrics_address: str


@asynccontextmanager
async def running_gateway(settings: Settings, simulation: Simulation | None = None) -> AsyncIterator[RunningGateway]:
    """Everything in one process, on a database that is migrated, while the context lasts. If the simulator is enabled,
    it speaks to the simulation that is handed in, or to one of its own.

    Stops in order: health off, streams told, calls answered, lines closed, database closed.

    Raises:
        ProviderNotEnabled: nobody would serve some of the sessions that there are.
        SchemaUnfit: the database's schema is not what this version needs.
    """
    async with present(settings, "serve"), laid(settings) as ground, spoken(ground, simulation) as providers:
        contract = Contract(ground, providers)
        async with worked(ground, providers), contract.served():
            yield RunningGateway(contract.address, ground.metrics_address)


@asynccontextmanager
async def running_api(settings: Settings, *, shared_port: bool = False) -> AsyncIterator[RunningGateway]:
    """The contract alone, while the context lasts: workers, elsewhere, do what is accepted here. With `shared_port`,
    other processes may listen on the same one.

    Raises:
        NotForAFleet: the settings are for one process.
        ProviderNotEnabled: nobody would accept for some of the sessions that there are.
        SchemaUnfit: the database's schema is not what this version needs.
    """
    check_for_a_fleet(settings, "api")
    async with present(settings, "api"), laid(settings) as ground:
        contract = Contract(ground, await known(ground), works_here=False, shared_port=shared_port)
        async with contract.served():
            yield RunningGateway(contract.address, ground.metrics_address)


@asynccontextmanager
async def running_worker(settings: Settings) -> AsyncIterator[RunningWorker]:
    """The work alone, while the context lasts: sessions that are wanted are owned, whoever asked for them.

    Raises:
        NotForAFleet: the settings are for one process.
        ProviderNotEnabled: nobody would serve some of the sessions that there are.
        SchemaUnfit: the database's schema is not what this version needs.
    """
    check_for_a_fleet(settings, "worker")
    async with (
        present(settings, "worker"),
        laid(settings) as ground,
        spoken(ground) as providers,
        _health_served(ground) as health_address,
        worked(ground, providers) as worker_id,
    ):
        yield RunningWorker(worker_id, health_address, ground.metrics_address)


@asynccontextmanager
async def _health_served(ground: Ground) -> AsyncIterator[str]:
    listen = ground.settings.worker.listen
    if not listen:
        yield ""
        return
    server = HealthServer("worker.listen", listen, ground.store.health, ground.queue.health)
    async with server.served():
        yield server.address


def check_for_a_fleet(settings: Settings, command: str) -> None:
    """Refuse what only one process can work on.

    Raises:
        NotForAFleet: the database or a provider is of that kind.
    """
    if is_sqlite(store_url(settings)):
        raise NotForAFleet(
            f"`wagate {command}` shares its database with other processes: store.url should name a PostgreSQL, such as "
            "postgresql+asyncpg://wagate@localhost/wagate. On SQLite, `wagate serve` is all in one process."
        )
    if "simulator" in settings.providers.enabled:
        raise NotForAFleet(
            f"`wagate {command}` is one of many processes, and the simulator lives in one: `wagate serve` runs it. "
            "providers.enabled should be web."
        )
