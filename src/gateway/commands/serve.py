"""`wagate serve`: the gateway, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from typing import Final

import orjson
import structlog
import uvloop

from gateway.adapters.embedded.folder import FolderTaken, FolderUnusable, locked_folder
from gateway.adapters.sql.migrating import migrate
from gateway.bootstrap import ProviderNotEnabled, RunningGateway, running_gateway, store_url
from gateway.commands.options import File, Options
from gateway.commands.refusals import told
from gateway.domain.errors import StoreUnavailable
from gateway.observability import start_logging
from gateway.programs import ProgramMissing
from gateway.providers.web.failures import EngineFailed, EngineMissing
from gateway.settings import Settings, load
from gateway.settings.listening import CannotListen
from gateway.transport.rpcs import ContractIncomplete

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_CANNOT: Final = (
    FolderTaken,
    FolderUnusable,
    CannotListen,
    ProgramMissing,
    ProviderNotEnabled,
    EngineMissing,
    EngineFailed,
    StoreUnavailable,
    ContractIncomplete,
)
_OURS_ALONE: Final = 0o077
"""What is written holds messages and keys: no other user reads it, whatever the folder's own mode is."""
_ALLOCATIONS: Final = 10_000
"""How many more things than before may live until the collector looks for cycles among them."""

logger = structlog.get_logger()


@told(*_CANNOT)
def serve(*, config: File = None, **options: Options) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Once it serves, one line of JSON on stdout says where. A second signal ends it at once.
    """
    settings = load(file=config, flags=options)
    start_logging(settings.log)
    os.umask(_OURS_ALONE)
    with locked_folder(settings.data.folder):
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    """Serve until told to stop. Stopping that takes longer than the grace is cut short."""
    stopped = _stop_signal()
    await migrate(store_url(settings))
    async with running_gateway(settings) as gateway:
        _keep_garbage_cheap()
        _say_ready(gateway)
        name = await stopped
        logger.info("The gateway is being stopped", signal=name)
        _cut_short(settings.shutdown.grace.total_seconds())
    logger.info("The gateway has stopped")


def _keep_garbage_cheap() -> None:
    """Let collections pass over what a gateway is made of, and come less often: they cost a tenth of each call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


def _stop_signal() -> asyncio.Future[str]:
    """The name of the first signal to stop; from then on another one has its usual effect."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[str] = loop.create_future()

    def take(number: signal.Signals) -> None:
        for known in _SIGNALS:
            loop.remove_signal_handler(known)
        first.set_result(number.name)

    for number in _SIGNALS:
        loop.add_signal_handler(number, take, number)
    return first


def _cut_short(seconds: float) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().call_later(seconds, task.cancel, "the grace is over")


def _say_ready(gateway: RunningGateway) -> None:
    line = orjson.dumps({"grpc": gateway.grpc_address, "metrics": gateway.metrics_address})
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()
    logger.info("The gateway serves", grpc=gateway.grpc_address, metrics=gateway.metrics_address)
