"""How a server runs: until it is told to stop, and within its grace."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

import orjson
import structlog

from gateway.adapters.embedded.folder import FolderTaken, FolderUnusable
from gateway.bootstrap import NotForAFleet, ProviderNotEnabled
from gateway.domain.errors import StoreUnavailable
from gateway.observability import start_logging
from gateway.ports.processes import SchemaUnfit
from gateway.programs import ProgramMissing
from gateway.providers.web.failures import EngineFailed, EngineMissing
from gateway.settings import Settings
from gateway.settings.listening import CannotListen
from gateway.transport.rpcs import ContractIncomplete

R = TypeVar("R")

CANNOT: Final = (
    FolderTaken,
    FolderUnusable,
    CannotListen,
    NotForAFleet,
    ProgramMissing,
    ProviderNotEnabled,
    SchemaUnfit,
    EngineMissing,
    EngineFailed,
    StoreUnavailable,
    ContractIncomplete,
)
"""Why a server does not start; each is a sentence for people."""
_OURS_ALONE: Final = 0o077
"""What is written holds messages and keys: no other user reads it, whatever the folder's own mode is."""
_ALLOCATIONS: Final = 10_000
"""How many more things than before may live until the collector looks for cycles among them."""

logger = structlog.get_logger()


def prepare(settings: Settings) -> None:
    """What every server does before it begins."""
    start_logging(settings.log)
    os.umask(_OURS_ALONE)


async def run_until(
    stopped: asyncio.Future[str],
    running: AbstractAsyncContextManager[R],
    say: Callable[[R], None],
    settings: Settings,
) -> None:
    """Run a server until told to stop; `say` is called once it serves. A stop that outlasts the grace is cut short."""
    async with running as it:
        _keep_garbage_cheap()
        say(it)
        why = await stopped
        logger.info("The gateway is being stopped", signal=why)
        _cut_short(settings.shutdown.grace.total_seconds())
    logger.info("The gateway has stopped")


def stop_signal(*signals: signal.Signals) -> asyncio.Future[str]:
    """The name of the first signal to stop: SIGTERM or SIGINT, unless others are named. From then on another one has
    its usual effect.
    """
    awaited = signals or (signal.SIGTERM, signal.SIGINT)
    loop = asyncio.get_running_loop()
    first: asyncio.Future[str] = loop.create_future()

    def take(number: signal.Signals) -> None:
        for known in awaited:
            loop.remove_signal_handler(known)
        if not first.done():
            first.set_result(number.name)

    for number in awaited:
        loop.add_signal_handler(number, take, number)
    return first


def say_ready(**facts: object) -> None:
    """Say in one line of JSON on stdout where a server is, now that it serves."""
    sys.stdout.write(orjson.dumps(facts).decode() + "\n")
    sys.stdout.flush()
    logger.info("The gateway serves", **facts)


def _keep_garbage_cheap() -> None:
    """Let collections pass over what a gateway is made of, and come less often: they cost a tenth of each call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


def _cut_short(seconds: float) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().call_later(seconds, task.cancel, "the grace is over")
