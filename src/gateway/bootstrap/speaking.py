"""How WhatsApp is spoken: by the providers that are enabled, or only known by those who accept for others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from gateway.adapters.sql.libpq import libpq_url
from gateway.bootstrap.ground import Ground, is_sqlite, store_url
from gateway.ports.provider import Dialects, Enabled, Provider, Providers
from gateway.programs import find_program
from gateway.providers.simulator.simulation import Simulation
from gateway.providers.web.dialect import WebDialect
from gateway.providers.web.options import EngineOptions, LabEndpoint
from gateway.providers.web.web_provider import web_provider
from gateway.settings import Settings

_log = structlog.get_logger(__name__)


class ProviderNotEnabled(Exception):
    """There are sessions of a provider that the settings do not enable."""


@asynccontextmanager
async def spoken(ground: Ground, simulation: Simulation | None = None) -> AsyncIterator[Providers]:
    """The providers that are enabled, while the context lasts. If the simulator is, it speaks to this simulation, or to
    one of its own.

    Raises:
        ProviderNotEnabled: nobody would serve some of the sessions that there are.
    """
    enabled = await _enabled(ground)
    by_name: dict[str, Provider] = {}
    async with AsyncExitStack() as stack:
        for name in enabled:
            if name == "simulator":
                _log.warning("THIS GATEWAY SIMULATES WHATSAPP: SESSIONS OF THE SIMULATOR REACH NOBODY")
                by_name[name] = simulation or Simulation()
            else:
                web = web_provider(engine_options(ground.settings), ground.meter)
                by_name[name] = await stack.enter_async_context(web)
        yield Enabled(by_name, default=enabled[0])


async def known(ground: Ground) -> Dialects:
    """What can be said, for a process that leaves the speaking to others.

    Raises:
        ProviderNotEnabled: nobody would accept for some of the sessions that there are.
    """
    enabled = await _enabled(ground)
    return Enabled({"web": WebDialect(lab=bool(ground.settings.lab.ca_file))}, default=enabled[0])


async def _enabled(ground: Ground) -> tuple[str, ...]:
    enabled = ground.settings.providers.enabled
    for needed in await ground.store.read(lambda uow: uow.sessions.providers()):
        if needed not in enabled:
            raise ProviderNotEnabled(f"There are sessions of the provider {needed}: providers.enabled should name it.")
    return enabled


def engine_options(settings: Settings) -> EngineOptions:
    """How engines are started, as the settings say."""
    lab = settings.lab
    endpoint = LabEndpoint(lab.address, lab.root_key_hex, lab.ca_file) if lab.ca_file else None
    url = store_url(settings)
    return EngineOptions(
        program=find_program(settings.engine.binary, "wagate-engine"),
        sessions_folder=settings.data.folder.resolve() / "sessions",
        lab=endpoint,
        key_database="" if is_sqlite(url) else libpq_url(url),
        key_connections=settings.engine.key_connections,
        sessions_per_engine=settings.worker.sessions_per_engine,
        connect_rate=settings.engine.connect_rate,
        ping_every=settings.engine.ping_every,
        ping_patience=settings.engine.ping_patience,
        start_timeout=settings.engine.start_timeout,
        log_level=settings.log.level,
    )
