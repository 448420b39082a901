"""The composition root: where concrete things are named and joined. It knows everything, and is known by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.adapters.embedded.queue import EmbeddedQueue
from gateway.adapters.sql.leases import SqlLeases
from gateway.adapters.sql.sqlite import url_of
from gateway.adapters.sql.store import SqlStore, open_store
from gateway.domain.ids import make_id
from gateway.domain.leases import Lease
from gateway.observability.exposition import exposed
from gateway.observability.metrics import PrometheusMeter
from gateway.ports.provider import Provider, Providers
from gateway.programs import find_program
from gateway.providers.simulator.simulation import Simulation
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider
from gateway.services.acceptance import Acceptance
from gateway.services.asking import LiveRequests, Owners
from gateway.services.contacts import Contacts
from gateway.services.counting import Counting
from gateway.services.feeds import Feeds
from gateway.services.inbox import Inbox
from gateway.services.keys import Keys
from gateway.services.line_questions import LineQuestions
from gateway.services.lines import Lines
from gateway.services.messages import Messages
from gateway.services.outbox import Outbox
from gateway.services.pages import Pages
from gateway.services.pairing import Pairing
from gateway.services.pairing_log import PairingLog
from gateway.services.reading import Reading
from gateway.services.receipts import Receipts
from gateway.services.restrictions import Restrictions
from gateway.services.sessions import Sessions
from gateway.services.system import System
from gateway.services.tail import Tail
from gateway.services.views import Views
from gateway.services.watching import MessageWatch
from gateway.settings import Settings
from gateway.transport.server import GrpcServer
from gateway.transport.servicers import Services
from gateway.version import VERSION
from gateway.workers.census_taker import CensusTaker
from gateway.workers.fleet import Fleet, FleetTerms
from gateway.workers.janitor import Janitor
from gateway.workers.owner_tools import OwnerTools
from gateway.workers.session_owner import SessionOwner

_log = structlog.get_logger(__name__)

_OWNER: Final = "w_"
_CAPACITY: Final = 10_000


class ProviderNotEnabled(Exception):
    """There are sessions of a provider that the settings do not enable."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that serves: where, and where its numbers are (empty for nowhere)."""

    grpc_address: str
    metrics_address: str


@dataclass(frozen=True, slots=True)
class Joined:
    """What services and workers share."""

    settings: Settings
    store: SqlStore
    queue: EmbeddedQueue
    providers: Providers
    meter: PrometheusMeter
    stopping: asyncio.Event


@asynccontextmanager
async def running_gateway(settings: Settings, simulation: Simulation | None = None) -> AsyncIterator[RunningGateway]:
    """Everything in one process, on a database that is migrated, while the context lasts. If the simulator is enabled,
    it speaks to the simulation that is handed in, or to one of its own.

    Stops in order: health off, streams told, calls answered, lines closed, database closed.

    Raises:
        ProviderNotEnabled: nobody would serve some of the sessions that there are.
    """
    queue = EmbeddedQueue()
    meter = PrometheusMeter()
    key = settings.access.key.get_secret_value()
    async with (
        exposed(meter.registry, settings.metrics.listen, key) as metrics_address,
        open_store(store_url(settings), ring=queue.ring, committed=meter.group_committed) as store,
        _providers(settings, store, meter, simulation or Simulation()) as providers,
    ):
        joined = Joined(settings, store, queue, providers, meter, asyncio.Event())
        async with _served(joined) as grpc_address:
            yield RunningGateway(grpc_address, metrics_address)


@asynccontextmanager
async def _providers(
    settings: Settings, store: SqlStore, meter: PrometheusMeter, simulation: Simulation
) -> AsyncIterator[Providers]:
    """The providers that are enabled."""
    enabled = settings.providers.enabled
    for needed in await store.read(lambda uow: uow.sessions.providers()):
        if needed not in enabled:
            raise ProviderNotEnabled(f"There are sessions of the provider {needed}: providers.enabled should name it.")
    by_name: dict[str, Provider] = {}
    async with AsyncExitStack() as stack:
        for name in enabled:
            if name == "simulator":
                _log.warning("THIS GATEWAY SIMULATES WHATSAPP: SESSIONS OF THE SIMULATOR REACH NOBODY")
                by_name[name] = simulation
            else:
                web = web_provider(_engine_options(settings), meter)
                by_name[name] = await stack.enter_async_context(web)
        yield Providers(by_name, default=enabled[0])


@asynccontextmanager
async def _served(joined: Joined) -> AsyncIterator[str]:
    tail = Tail(joined.store, joined.queue)
    live = LiveRequests(joined.store)
    services = _services(joined, tail, live)
    servicers, store_health = services.servicers(), joined.store.health
    server = GrpcServer(servicers, joined.settings, joined.meter, joined.stopping, store_health)
    await SqlLeases(joined.store).end_all()
    await Lines(joined.store, Views(joined.providers)).all_lost()
    workers_stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(tail.run(), name="log tail")
        group.create_task(live.run(workers_stopping), name="live requests")
        group.create_task(_fleet(joined).run(workers_stopping), name="fleet")
        group.create_task(_janitor(joined).run(workers_stopping), name="janitor")
        group.create_task(_census_taker(joined).run(workers_stopping), name="census taker")
        await server.start()
        try:
            yield server.address
        finally:
            await server.stop()
            workers_stopping.set()
            reading.cancel()


def _services(joined: Joined, tail: Tail, live: LiveRequests) -> Services:
    store, providers, give_up_after = joined.store, joined.providers, joined.settings.outbox.give_up_after
    views, pages, owners = Views(providers), Pages(store.signer), Owners(joined.queue)
    watch = MessageWatch(store, tail, views, joined.stopping)
    return Services(
        sessions=Sessions(store, providers, views, pages),
        pairing=Pairing(store, owners, views, joined.stopping),
        messages=Messages(store, Acceptance(providers, give_up_after), views, pages, watch, joined.meter),
        reading=Reading(store, owners, live),
        contacts=Contacts(store, owners, live),
        feeds=Feeds(
            store,
            tail,
            store.signer,
            joined.meter,
            joined.stopping,
            checkpoint_interval=joined.settings.feeds.checkpoint_interval,
        ),
        system=System(
            providers,
            version=VERSION,
            request_bytes=int(joined.settings.grpc.max_receive_bytes),
            give_up_after=give_up_after,
        ),
    )


def _fleet(joined: Joined) -> Fleet:
    store, settings, views = joined.store, joined.settings, Views(joined.providers)
    tools = OwnerTools(
        providers=joined.providers,
        queue=joined.queue,
        meter=joined.meter,
        lines=Lines(store, views),
        restrictions=Restrictions(store, views),
        inbox=Inbox(store),
        receipts=Receipts(store),
        outbox=Outbox(store, views),
        questions=LineQuestions(store),
        pairing_log=PairingLog(store),
        lease_ttl=settings.leases.ttl,
        send_timeout=settings.outbox.send_timeout,
    )

    def hire(lease: Lease) -> SessionOwner:
        return SessionOwner(lease, tools)

    terms = FleetTerms(_CAPACITY, settings.leases.ttl, settings.leases.renew_every)
    return Fleet(make_id(_OWNER), SqlLeases(store), joined.queue, terms, hire)


def _janitor(joined: Joined) -> Janitor:
    store, views = joined.store, Views(joined.providers)
    return Janitor(Outbox(store, views), Restrictions(store, views), Keys(store), joined.providers)


def _census_taker(joined: Joined) -> CensusTaker:
    return CensusTaker(Counting(joined.store, joined.meter))


def store_url(settings: Settings) -> str:
    """Where the database is: as the settings say, else a file in the data folder."""
    said = settings.store.url.get_secret_value()
    return said or url_of(settings.data.folder.resolve() / "wagate.db")


def _engine_options(settings: Settings) -> EngineOptions:
    lab = settings.lab
    endpoint = LabEndpoint(lab.address, lab.root_key_hex, lab.ca_file) if lab.ca_file else None
    return EngineOptions(
        program=find_program(settings.engine.binary, "wagate-engine"),
        sessions_folder=settings.data.folder.resolve() / "sessions",
        lab=endpoint,
        connect_rate=settings.engine.connect_rate,
        ping_every=settings.engine.ping_every,
        ping_patience=settings.engine.ping_patience,
        start_timeout=settings.engine.start_timeout,
        log_level=settings.log.level,
    )
